"""One training step of each workload in PyTorch, on the processor: those of `benches/workloads.rs`.

usage: python torch_steps.py [--seconds=S] [NAME ...]

Prints `NAME median_ms min_ms` for each workload. `OMP_NUM_THREADS` sets the threads.
"""

import protocol
import torch
import torch.nn.functional as F
from torch import nn

EXAMPLES = 182_625


def makemore(batch, embedding, hidden, direct):
    """Bengio's network on characters, with plain SGD; with or without the direct connection."""
    c = torch.randn(27, embedding)
    w1, b1 = torch.randn(3 * embedding, hidden) * 0.1, torch.randn(hidden)
    w2, b2 = torch.rand(hidden, 27) * 0.01, torch.zeros(27)
    w3 = torch.rand(3 * embedding, 27) * 0.01
    parameters = [c, w1, b1, w2, b2] + ([w3] if direct else [])
    for parameter in parameters:
        parameter.requires_grad = True
    contexts, targets = torch.randint(0, 27, (EXAMPLES, 3)), torch.randint(0, 27, (EXAMPLES,))

    def step():
        rows = torch.randint(0, EXAMPLES, (batch,))
        e = c[contexts[rows]].view(-1, 3 * embedding)
        logits = torch.tanh(e @ w1 + b1) @ w2 + b2
        if direct:
            logits = logits + e @ w3
        loss = F.cross_entropy(logits, targets[rows])
        for parameter in parameters:
            parameter.grad = None
        loss.backward()
        for parameter in parameters:
            parameter.data += -0.1 * parameter.grad

    return step


def baseline_embedding():
    """Embedding(50, 16), flatten, Linear(160, 64), ReLU, Linear(64, 1), sigmoid; BCE and Adam."""
    model = nn.Sequential(
        nn.Embedding(50, 16), nn.Flatten(), nn.Linear(160, 64), nn.ReLU(), nn.Linear(64, 1), nn.Sigmoid()
    )
    adam, loss = torch.optim.Adam(model.parameters(), lr=1e-3), nn.BCELoss()
    x, y = torch.randint(0, 50, (32, 10)), torch.randint(0, 2, (32, 1)).float()

    def step():
        adam.zero_grad()
        loss(model(x), y).backward()
        adam.step()

    return step


class Recurrent(nn.Module):
    """An LSTM over an embedding, and a linear layer."""

    def __init__(self, features, hidden, classes):
        super().__init__()
        self.embedding = nn.Embedding(27, features)
        self.lstm = nn.LSTM(features, hidden, batch_first=True)
        self.head = nn.Linear(hidden, classes)


def vowel_lstm(batch):
    """Whether a vowel or a consonant follows 20 characters: the last hidden state decides."""
    model = Recurrent(20, 50, 2)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.randint(0, 27, (batch, 20)), torch.randint(0, 2, (batch,))

    def step():
        adam.zero_grad()
        _, (hidden, _) = model.lstm(model.embedding(x))
        F.cross_entropy(model.head(hidden[-1]), y).backward()
        adam.step()

    return step


def char_lm():
    """A language model of characters: each of 64 hidden states says what comes next."""
    model = Recurrent(64, 256, 27)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    x, y = torch.randint(0, 27, (32, 64)), torch.randint(0, 27, (32 * 64,))

    def step():
        adam.zero_grad()
        h, _ = model.lstm(model.embedding(x))
        F.cross_entropy(model.head(h).view(-1, 27), y).backward()
        adam.step()

    return step


def cdcgan(batch):
    """A conditional DCGAN on images of 28 x 28: a step of the discriminator, and one of the generator."""

    def up(inputs, outputs, kernel=3, stride=2):
        convolution = nn.ConvTranspose2d(inputs, outputs, kernel, stride)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]

    def down(inputs, outputs):
        return [nn.Conv2d(inputs, outputs, 4, 2), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]

    last = [nn.ConvTranspose2d(64, 1, 4, 2), nn.Tanh()]
    generator = nn.Sequential(*up(74, 256), *up(256, 128, 4, 1), *up(128, 64), *last)
    discriminator = nn.Sequential(*down(11, 64), *down(64, 128), nn.Conv2d(128, 1, 4, 2))
    adam_g = torch.optim.Adam(generator.parameters(), lr=2e-4)
    adam_d = torch.optim.Adam(discriminator.parameters(), lr=2e-4)
    loss = nn.BCEWithLogitsLoss()
    real = torch.rand(batch, 1, 28, 28)
    labels = F.one_hot(torch.randint(0, 10, (batch,)), 10).float()
    planes = labels[:, :, None, None].expand(-1, -1, 28, 28)
    ones, zeros = torch.ones(batch, 1), torch.zeros(batch, 1)

    def judge(images):
        return discriminator(torch.cat([images, planes], 1)).view(batch, -1)

    def step():
        adam_d.zero_grad()
        fake = generator(torch.cat([torch.randn(batch, 64), labels], 1)[:, :, None, None])
        ((loss(judge(fake.detach()), zeros) + loss(judge(real), ones)) / 2).backward()
        adam_d.step()
        adam_g.zero_grad()
        loss(judge(fake), ones).backward()
        adam_g.step()

    return step


def cifar_cnn(batch):
    """Four 3 x 3 convolutions with ReLU, and a linear layer with one; SGD."""
    channels = [3, 40, 56, 40, 48]
    layers = []
    for inputs, outputs in zip(channels, channels[1:]):
        layers += [nn.Conv2d(inputs, outputs, 3), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(48 * 24 * 24, 100), nn.ReLU())
    sgd = torch.optim.SGD(model.parameters(), lr=0.008)
    x, y = torch.rand(batch, 3, 32, 32), torch.randint(0, 100, (batch,))

    def step():
        sgd.zero_grad()
        F.cross_entropy(model(x), y).backward()
        sgd.step()

    return step


def additions(count):
    """What an operation costs by itself: so many additions of one number to another, forward and backward."""
    x = torch.ones(1, requires_grad=True)

    def step():
        y = x
        for _ in range(count):
            y = y + x
        x.grad = None
        y.backward()

    return step


WORKLOADS = {
    "makemore_16384": lambda: makemore(16_384, 50, 100, True),
    "makemore_32": lambda: makemore(32, 10, 200, False),
    "baseline_embedding_32": baseline_embedding,
    "vowel_lstm_1": lambda: vowel_lstm(1),
    "vowel_lstm_64": lambda: vowel_lstm(64),
    "char_lm": char_lm,
    "cdcgan_128": lambda: cdcgan(128),
    "cifar_cnn_64": lambda: cifar_cnn(64),
    "additions_1000": lambda: additions(1_000),
}


if __name__ == "__main__":
    torch.manual_seed(0)
    protocol.run(WORKLOADS, __doc__)

"""One training step of three of the workloads in JAX, compiled for the processor: those of `benches/workloads.rs`.

usage: python jax_steps.py [--seconds=S] [NAME ...]

Prints `NAME median_ms min_ms` for each workload. JAX takes all processors; `NPROC` sets the threads.
"""

from functools import partial

import jax
import jax.numpy as jnp
import protocol

jax.config.update("jax_platforms", "cpu")  # whatever else there is

EXAMPLES = 182_625


def keys(seed=0):
    """Keys for random numbers, one after the other."""
    key = jax.random.key(seed)
    while True:
        key, one = jax.random.split(key)
        yield one


def stepper(step, state):
    """A function that takes a step, waits for it, and keeps the state that the next step begins with."""

    def take():
        nonlocal state
        state = jax.block_until_ready(step(state))

    return take


def cross_entropy(logits, targets):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), targets[:, None], 1).mean()


def makemore(batch, embedding, hidden, direct):
    """Bengio's network on characters, with plain SGD; with or without the direct connection."""
    key = keys()
    contexts = jax.random.randint(next(key), (EXAMPLES, 3), 0, 27)
    targets = jax.random.randint(next(key), (EXAMPLES,), 0, 27)
    weights = {
        "c": jax.random.normal(next(key), (27, embedding)),
        "w1": jax.random.normal(next(key), (3 * embedding, hidden)) * 0.1,
        "b1": jax.random.normal(next(key), (hidden,)),
        "w2": jax.random.uniform(next(key), (hidden, 27)) * 0.01,
        "b2": jnp.zeros(27),
    }
    if direct:
        weights["w3"] = jax.random.uniform(next(key), (3 * embedding, 27)) * 0.01

    def loss(weights, x, y):
        e = weights["c"][x].reshape(batch, -1)
        logits = jnp.tanh(e @ weights["w1"] + weights["b1"]) @ weights["w2"] + weights["b2"]
        if direct:
            logits = logits + e @ weights["w3"]
        return cross_entropy(logits, y)

    @partial(jax.jit, donate_argnums=0)
    def step(state):
        weights, key = state
        key, draw = jax.random.split(key)
        rows = jax.random.randint(draw, (batch,), 0, EXAMPLES)
        slopes = jax.grad(loss)(weights, contexts[rows], targets[rows])
        return jax.tree.map(lambda w, dw: w - 0.1 * dw, weights, slopes), key

    return stepper(step, (weights, next(key)))


def char_lm(batch=32, length=64, features=64, hidden=256):
    """A language model of characters: each of 64 hidden states says what comes next. Adam."""
    key = keys()
    x = jax.random.randint(next(key), (batch, length), 0, 27)
    y = jax.random.randint(next(key), (length * batch,), 0, 27)  # step by step, as the scan gives its states
    normal = lambda *shape: jax.random.normal(next(key), shape) * 0.05
    weights = {
        "embedding": normal(27, features),
        "w_ih": normal(features, 4 * hidden),
        "w_hh": normal(hidden, 4 * hidden),
        "b_ih": jnp.zeros(4 * hidden),
        "b_hh": jnp.zeros(4 * hidden),
        "w_out": normal(hidden, 27),
        "b_out": jnp.zeros(27),
    }

    def loss(weights):
        # The inputs' part of the gates needs no state, so it is one product for all steps.
        inputs = weights["embedding"][x] @ weights["w_ih"] + weights["b_ih"] + weights["b_hh"]

        def cell(state, z):
            h, c = state
            i, f, g, o = jnp.split(z + h @ weights["w_hh"], 4, -1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((batch, hidden))
        _, h = jax.lax.scan(cell, (zeros, zeros), inputs.swapaxes(0, 1))
        return cross_entropy(h.reshape(-1, hidden) @ weights["w_out"] + weights["b_out"], y)

    @partial(jax.jit, donate_argnums=0)
    def step(state):
        weights, first, second, t = state
        slopes, t = jax.grad(loss)(weights), t + 1
        first = jax.tree.map(lambda m, dw: 0.9 * m + 0.1 * dw, first, slopes)
        second = jax.tree.map(lambda v, dw: 0.999 * v + 0.001 * dw**2, second, slopes)

        def adam(w, m, v):
            return w - 1e-3 * (m / (1 - 0.9**t)) / (jnp.sqrt(v / (1 - 0.999**t)) + 1e-8)

        return jax.tree.map(adam, weights, first, second), first, second, t

    zeros = lambda: jax.tree.map(jnp.zeros_like, weights)
    return stepper(step, (weights, zeros(), zeros(), jnp.zeros(())))


WORKLOADS = {
    "makemore_16384": lambda: makemore(16_384, 50, 100, True),
    "makemore_32": lambda: makemore(32, 10, 200, False),
    "char_lm": char_lm,
}


if __name__ == "__main__":
    protocol.run(WORKLOADS, __doc__)

"""gensim's word2vec on the corpus that the example wrote, with the same settings, to compare with.

    cargo run --release --example word2vec -- --translations --data GUTENBERG --write-corpus corpus.txt ...
    python benches/peers/word2vec_gensim.py corpus.txt --epochs 5 --seeds 1 2 3

It trains one model for each seed, and prints words per second (all words of the corpus, rare ones too, over the time of
`train` alone), Spearman's correlation on WordSim-353 and the accuracy on questions-words.txt, both as gensim ships them.
Nothing in the project needs it. gensim 4.4.
"""

import argparse
import time

from gensim.models import Word2Vec
from gensim.models.word2vec import LineSentence
from gensim.test.utils import datapath

parser = argparse.ArgumentParser(description="gensim's word2vec on a corpus of one sentence a line")
parser.add_argument("corpus")
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--seeds", type=int, nargs="+", default=[1])
parser.add_argument("--workers", type=int, default=2)
parser.add_argument("--no-judge", action="store_true", help="speed only")
args = parser.parse_args()

sentences = list(LineSentence(args.corpus))
words = sum(map(len, sentences))
for seed in args.seeds:
    model = Word2Vec(vector_size=100, window=5, negative=5, sample=1e-3, workers=args.workers, sg=1, min_count=5, seed=seed)
    model.build_vocab(sentences)
    start = time.perf_counter()
    model.train(sentences, total_examples=model.corpus_count, epochs=args.epochs)
    seconds = time.perf_counter() - start
    line = f"seed={seed} vocabulary={len(model.wv)} words_per_second={words * args.epochs / seconds:.0f} seconds={seconds:.1f}"
    if not args.no_judge:
        spearman = model.wv.evaluate_word_pairs(datapath("wordsim353.tsv"))[1][0]
        accuracy = model.wv.evaluate_word_analogies(datapath("questions-words.txt"))[0]
        line += f" spearman={spearman:.4f} analogies={accuracy:.4f}"
    print(line, flush=True)

"""Train one network on several machines: each computes the gradients of its share of every batch.

    python train_on_several_machines.py DATA OUTPUT.weights.h5 --machines host0:9000,host1:9000 --index 0

Start it on every machine with its own --index. DATA is a data set of `racnet prepare`, with its store, that every
machine sees. All machines begin with the same weights and read the same batches in the same order; the gradients of the
shares are averaged over the network by TensorFlow's MultiWorkerMirroredStrategy before they are clipped and applied, so
that all end with the same weights, those of one machine that had the whole batches. Machine 0 writes them. With one
machine named nothing is exchanged. Batches must divide by the number of machines; dropout differs between shares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path


def main() -> None:
    """Train and, on machine 0, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, metavar="DATA")
    parser.add_argument("output", type=Path, metavar="OUTPUT")
    parser.add_argument("--machines", default="localhost:9000", metavar="HOST:PORT,...")
    parser.add_argument("--index", type=int, default=0, metavar="N")
    parser.add_argument("--network", default="racnet", metavar="NAME")
    parser.add_argument("--settings", type=json.loads, default={}, metavar="JSON", help="of the network")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    machines = args.machines.split(",")
    if not 0 <= args.index < len(machines) or args.batch_size % len(machines):
        parser.error(f"expected an index below {len(machines)}, and batches that divide by it")
    if len(machines) > 1:  # read by TensorFlow
        task = {"type": "worker", "index": args.index}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": machines}, "task": task})

    import numpy as np
    import tensorflow as tf

    from racnet_tools.datasets import DataSet
    from racnet_tools.models import build_from_config, network_config
    from racnet_tools.training import TrainingConfig, save_weights
    from racnet_tools.training.optimiser import compile_network
    from racnet_tools.training.streaming import StreamSource

    data = DataSet.open(args.data)
    training = TrainingConfig(epochs=args.epochs, batch_size=args.batch_size)
    config = network_config(args.network, len(data.classes), data.store.n_pixels, **args.settings)
    steps = max(1, data.size("train") // args.batch_size)
    group = tf.distribute.MultiWorkerMirroredStrategy() if len(machines) > 1 else None
    model = build_from_config(config, seed=training.seed)  # outside the strategy: a copy on every machine
    optimizer = compile_network(model, training, steps * training.epochs)

    def averaged(gradients):
        flat = tf.concat([tf.reshape(one, [-1]) for one in gradients], axis=0)  # one message a step
        flat = group.reduce("MEAN", group.run(tf.identity, args=(flat,)), axis=None)
        parts = tf.split(flat, [one.shape.num_elements() for one in gradients])
        return [tf.reshape(part, one.shape) for part, one in zip(parts, gradients, strict=True)]

    @tf.function
    def train(x, y):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        if group is not None:
            gradients = averaged(gradients)
        optimizer.apply(gradients, model.trainable_variables)
        return loss

    share = args.batch_size // len(machines)
    mine = slice(args.index * share, (args.index + 1) * share)
    with StreamSource(data, config, training) as source:
        for epoch in range(training.epochs):
            rng = np.random.default_rng([training.seed, epoch])
            losses = [train(tf.constant(x[mine]), tf.constant(y[mine])) for x, y in source.batches(epoch, steps, rng)]
            print(f"machine {args.index}: epoch {epoch + 1}, loss {float(np.mean(losses)):.4f}", flush=True)
    ended = hashlib.sha256(b"".join(np.asarray(one).tobytes() for one in model.weights)).hexdigest()
    print(f"machine {args.index}: weights {ended[:16]}")  # the same everywhere
    if args.index == 0:
        save_weights(model, args.output)


if __name__ == "__main__":
    main()

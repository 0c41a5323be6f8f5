"""
Trains the drawn-street detector on folders written by `gewu simulate dataset`, and exports it to ONNX.

    python3 train.py --data DIR [DIR ...] --out WORK [--minutes 50] [--threads 2] [--on-export CMD]

The schedule follows the clock, so that a slow machine ends in time with fewer passes. Writes WORK/model.onnx,
WORK/checkpoint.pt and WORK/training.json; after each export CMD runs in a shell.
"""

import argparse
import copy
import json
import math
import os
import random
import subprocess
import time

import torch

from data import HEIGHT, WIDTH, batch_of, load
from loss import loss_of
from net import Detector, anchors_of, decode, export, flatten


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=50)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--export-every", type=int, default=3, help="passes")
    parser.add_argument("--on-export", default="")
    parser.add_argument("--resume", default="", help="a WORK folder: go on from its weights, with a schedule of its own")
    return parser.parse_args()


class Average:
    """Moving average of the weights: what is exported."""

    def __init__(self, net):
        self.net = copy.deepcopy(net).eval()
        self.steps = 0

    @torch.no_grad()
    def follow(self, net):
        self.steps += 1
        keep = 0.998 * (1 - math.exp(-self.steps / 400))
        for mine, theirs in zip(self.net.state_dict().values(), net.state_dict().values()):
            if mine.dtype.is_floating_point:
                mine.mul_(keep).add_(theirs, alpha=1 - keep)
            else:
                mine.copy_(theirs)


def resumed(args, net):
    """Weights of an earlier run into `net`; its passes and minutes, so that the record counts all training."""
    if not args.resume:
        return 0, 0.0
    net.load_state_dict(torch.load(os.path.join(args.resume, "checkpoint.pt")))
    with open(os.path.join(args.resume, "training.json")) as file:
        record = json.load(file)
    return record["epochs"], record["minutes"]


def save(average, args, classes, images, epoch, minutes):
    path = os.path.join(args.out, "model.onnx")
    # Written aside and renamed: a reader never sees half a model.
    export(copy.deepcopy(average.net).to(memory_format=torch.contiguous_format), path + ".part")
    os.replace(path + ".part", path)
    torch.save(average.net.state_dict(), os.path.join(args.out, "checkpoint.pt"))
    parameters = sum(p.numel() for p in average.net.parameters())
    record = {"classes": classes, "images": images, "epochs": round(epoch, 1), "parameters": parameters,
              "minutes": round(minutes, 1)}
    with open(os.path.join(args.out, "training.json"), "w") as file:
        json.dump(record, file)
    if args.on_export:
        subprocess.run(args.on_export, shell=True, check=False)


def main():
    args = arguments()
    os.makedirs(args.out, exist_ok=True)
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    chance = random.Random(args.seed)
    classes, pictures, truths = load(args.data)
    net = Detector(len(classes)).to(memory_format=torch.channels_last)
    epochs_before, minutes_before = resumed(args, net)
    average = Average(net)
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0}], args.rate)
    centres, strides = anchors_of(HEIGHT, WIDTH)
    print(f"{len(truths)} images, {sum(p.numel() for p in net.parameters())} parameters", flush=True)

    started, step, epoch, progress = time.time(), 0, 0, 0.0

    def publish():
        save(average, args, classes, len(truths), epochs_before + epoch, minutes_before + (time.time() - started) / 60)

    order = list(range(len(truths)))
    while progress < 1:
        chance.shuffle(order)
        net.train()
        sums, seen = [0.0, 0.0], 0
        for at in range(0, len(order) - args.batch + 1, args.batch):
            progress = (time.time() - started) / (args.minutes * 60)
            if progress >= 1:
                break
            rate = args.rate * max(0.02, 0.5 + 0.5 * math.cos(math.pi * progress)) * min(1, (step + 1) / 200)
            for group in optimiser.param_groups:
                group["lr"] = rate
            x, wanted = batch_of(pictures, truths, order[at : at + args.batch], chance)
            logits, raw = flatten(net(x))
            loss, class_loss, box_loss = loss_of(logits, decode(raw, centres, strides), wanted, centres, strides)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 10)
            optimiser.step()
            average.follow(net)
            step, seen = step + 1, seen + 1
            sums[0] += class_loss.item()
            sums[1] += box_loss.item()
            if step % 50 == 0:
                speed = step * args.batch / (time.time() - started)
                print(f"pass {epoch:.0f} step {step} class {sums[0] / seen:.3f} box {sums[1] / seen:.3f} rate {rate:.5f} {speed:.1f} images/s {progress:.0%}", flush=True)
        epoch += seen * args.batch / len(order)
        if progress < 1 and (round(epoch) == 1 or round(epoch) % args.export_every == 0):
            publish()
    publish()


if __name__ == "__main__":
    main()

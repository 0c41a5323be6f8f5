"""
Trains the detector on folders of pictures and truth, and exports it to ONNX.

    python3 train.py --data DIR [DIR ...] --out WORK --steps 9000 [--seed 1] [--threads 2] [--minutes 180] [--cache DIR]
                     [--weights FILE --weights-classes NAME ...]

The schedule counts steps, not minutes: the same data, steps and seed give the same model up to the order in which cores add.
Every so often all that it knows goes to WORK/state.pt, and the same command goes on from there. `--minutes` only bounds
the time of this call: a run that is not through by then ends with status 3.
Writes WORK/model.onnx, WORK/weights.npz and WORK/training.json at the end.
"""

import argparse
import copy
import json
import math
import os
import random
import sys
import time

import torch

from data import batch_of, load
from loss import loss_of
from net import HEIGHT, WIDTH, Detector, anchors_of, decode, export, flatten, load_weights, save_weights

# Small pictures first: three times as many a minute, and what a thing looks like is learnt on them as well.
SMALL = (192, 320)
SMALL_SHARE = 0.5
WARM_UP_STEPS = 200
SAVE_EVERY = 250
SAY_EVERY = 25
NOT_THROUGH = 3


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--cache", help="folder for the pictures as the net reads them; OUT unless told")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--minutes", type=float, default=24 * 60, help="ends unfinished after so long")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, help="2e-3 from nothing, 1e-3 from weights")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights", default="", help="weights.npz to begin with: fine-tuning, on full pictures only")
    parser.add_argument("--weights-classes", nargs="*", default=[], help="classes that the weights know, in their order")
    args = parser.parse_args()
    args.rate = args.rate or (1e-3 if args.weights else 2e-3)
    return args


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


class Run:
    """All that changes from step to step; chance is drawn from the seed and the number of the step, so it needs no keeping."""

    def __init__(self, args, classes):
        torch.manual_seed(args.seed)
        self.args = args
        self.net = Detector(len(classes)).to(memory_format=torch.channels_last)
        if args.weights:
            anew = load_weights(self.net, args.weights, classes, args.weights_classes)
            print("classes that begin anew: " + (", ".join(anew) or "none"), flush=True)
        self.average = Average(self.net)
        decayed = [p for p in self.net.parameters() if p.ndim > 1]
        plain = [p for p in self.net.parameters() if p.ndim <= 1]
        groups = [{"params": decayed, "weight_decay": 0.03}, {"params": plain, "weight_decay": 0}]
        self.optimiser = torch.optim.AdamW(groups, args.rate)
        # Its time by the clock, and of all cores together: beside other work only the second tells what a step costs.
        self.step, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        # A state belongs to one plan: another seed, length or folder begins anew.
        self.plan = [args.steps, args.seed, args.batch, args.rate, args.weights, *args.data, *classes]
        self.path = os.path.join(args.out, "state.pt")

    def resume(self):
        if not os.path.exists(self.path):
            return
        state = torch.load(self.path)
        if state["plan"] != self.plan:
            print("state.pt is of another plan: begins anew", flush=True)
            return
        self.net.load_state_dict(state["net"])
        self.average.net.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.average.steps = self.step = state["step"]
        self.seconds, self.cpu_seconds = state["seconds"], state["cpu_seconds"]
        print(f"goes on after step {self.step}", flush=True)

    def save(self):
        state = {"plan": self.plan, "net": self.net.state_dict(), "average": self.average.net.state_dict(),
                 "optimiser": self.optimiser.state_dict(), "step": self.step, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
        torch.save(state, self.path + ".part")
        os.replace(self.path + ".part", self.path)

    def size(self):
        small = not self.args.weights and self.step < SMALL_SHARE * self.args.steps
        return SMALL if small else (HEIGHT, WIDTH)

    def learn(self, pictures, truths, order, grid):
        """One step; returns its losses."""
        args, size = self.args, self.size()
        chance = random.Random(f"{args.seed} {self.step}")
        torch.manual_seed(chance.getrandbits(40))
        rate = args.rate * max(0.02, 0.5 + 0.5 * math.cos(math.pi * self.step / args.steps)) * min(1, (self.step + 1) / min(WARM_UP_STEPS, args.steps / 8))
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        x, wanted = batch_of(pictures, truths, order.picks(self.step), size, chance)
        if size not in grid:
            grid[size] = anchors_of(*size)
        centres, strides = grid[size]
        logits, raw = flatten(self.net(x))
        loss, class_loss, box_loss = loss_of(logits, decode(raw, centres, strides), wanted, centres, strides)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 10)
        self.optimiser.step()
        self.average.follow(self.net)
        self.step += 1
        return class_loss.item(), box_loss.item()


class Order:
    """Every picture once in each pass, in an order of the pass's own."""

    def __init__(self, count, batch, seed):
        self.count, self.batch, self.seed = count, min(batch, count), seed
        self.per_pass = count // self.batch
        self.kept = (-1, [])

    def picks(self, step):
        number, at = divmod(step, self.per_pass)
        if self.kept[0] != number:
            order = list(range(self.count))
            random.Random(f"{self.seed} pass {number}").shuffle(order)
            self.kept = (number, order)
        return self.kept[1][at * self.batch : (at + 1) * self.batch]


def finish(run, classes, images, per_pass):
    """Each file is written aside and renamed: a reader never sees half a model."""
    out, net = run.args.out, copy.deepcopy(run.average.net).to(memory_format=torch.contiguous_format)
    export(net, os.path.join(out, "model.onnx.part"))
    os.replace(os.path.join(out, "model.onnx.part"), os.path.join(out, "model.onnx"))
    save_weights(net, os.path.join(out, "weights.npz"))
    record = {"classes": classes, "images": images, "steps": run.step, "batch": run.args.batch, "seed": run.args.seed,
              "passes": round(run.step / per_pass, 1), "minutes": round(run.seconds / 60, 1), "cpuMinutes": round(run.cpu_seconds / 60, 1),
              "width": WIDTH, "height": HEIGHT, "parameters": sum(p.numel() for p in net.parameters())}
    with open(os.path.join(out, "training.json"), "w") as file:
        json.dump(record, file)


def main():
    args = arguments()
    cache = args.cache or args.out
    for folder in (args.out, cache):
        os.makedirs(folder, exist_ok=True)
    torch.set_num_threads(args.threads)
    classes, pictures, truths = load(args.data, cache)
    run = Run(args, classes)
    run.resume()
    order = Order(len(truths), args.batch, args.seed)
    print(f"{len(truths)} pictures, {sum(p.numel() for p in run.net.parameters())} parameters, {args.steps} steps", flush=True)
    began, grid, sums = time.time(), {}, []
    # Of this call: the same command, given once more, has as much again.
    ends = began + args.minutes * 60
    run.net.train()
    while run.step < args.steps:
        step_began, step_cpu = time.time(), time.process_time()
        sums.append(run.learn(pictures, truths, order, grid))
        run.seconds += time.time() - step_began
        run.cpu_seconds += time.process_time() - step_cpu
        if run.step % SAY_EVERY == 0 or run.step == args.steps:
            class_loss, box_loss = (sum(column) / len(sums) for column in zip(*sums))
            speed = len(sums) * order.batch / max(1e-6, time.time() - began)
            print(f"step {run.step} of {args.steps}: class {class_loss:.3f} box {box_loss:.3f}, {speed:.1f} pictures/s at {run.size()[1]} px", flush=True)
            began, sums = time.time(), []
        if run.step % SAVE_EVERY == 0:
            run.save()
        if time.time() > ends and run.step < args.steps:
            run.save()
            print(f"not through: {run.step} of {args.steps} steps after {args.minutes:g} minutes; run it again to go on", flush=True)
            sys.exit(NOT_THROUGH)
    # Run again, it has nothing left to do but this.
    run.save()
    finish(run, classes, len(truths), order.per_pass)


if __name__ == "__main__":
    main()

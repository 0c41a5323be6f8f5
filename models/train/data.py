"""Reads folders that `gewu simulate dataset` wrote into memory, and varies pictures on their way into a batch."""

import json
import os
import random

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

# 640 x 360 letterboxed to 320 x 320 leaves 70 grey rows above and below. Training keeps 6 of them: the net is fully
# convolutional and 64 rows are a multiple of its strides, so cells fall on the same places as in the exported square.
WIDTH, HEIGHT, CONTENT, TOP = 320, 192, 180, 6
RESAMPLINGS = (Image.BOX, Image.BILINEAR, Image.BICUBIC)
# Truth that is hidden or tiny teaches nothing; cells there are left out of the loss.
VISIBLE_MIN, SHORT_SIDE_MIN = 0.25, 3.0


def load(folders):
    """Pictures uint8 [K, 180, 320, 3], and per picture its truth float [M, 6]: class, x1, y1, x2, y2, counts (1) or not (0)."""
    with open(os.path.join(folders[0], "classes.json")) as file:
        classes = json.load(file)
    entries = []
    for folder in folders:
        with open(os.path.join(folder, "truth.jsonl")) as file:
            entries += [(folder, json.loads(line)) for line in file]
    pictures = np.empty((len(entries), CONTENT, WIDTH, 3), np.uint8)
    truths = []
    chance = random.Random(1)
    for k, (folder, entry) in enumerate(entries):
        with Image.open(os.path.join(folder, entry["file"])) as image:
            scale = WIDTH / image.width
            # Whoever feeds the camera's picture in will shrink it in his own way: learn several.
            pictures[k] = np.asarray(image.convert("RGB").resize((WIDTH, CONTENT), chance.choice(RESAMPLINGS)))
        rows = []
        for box in entry["boxes"]:
            x1, y1, x2, y2 = (value * scale for value in box["box"])
            counts = box["visible"] >= VISIBLE_MIN and min(x2 - x1, y2 - y1) >= SHORT_SIDE_MIN
            rows.append([classes.index(box["class"]), x1, y1 + TOP, x2, y2 + TOP, float(counts)])
        truths.append(torch.tensor(rows, dtype=torch.float32).reshape(-1, 6))
    return classes, torch.from_numpy(pictures), truths


def warp(x, truths, chance):
    """Flips, zooms and shifts each picture of a batch (float, grey = 0); boxes follow and are clipped."""
    theta = torch.zeros(len(truths), 2, 3)
    moved = []
    for k, truth in enumerate(truths):
        flip = -1.0 if chance.random() < 0.5 else 1.0
        zoom = chance.uniform(0.78, 1.4) if chance.random() < 0.6 else 1.0
        stretch = chance.uniform(0.92, 1.08) if zoom != 1.0 else 1.0
        zx, zy = zoom * stretch, zoom / stretch
        sx = chance.uniform(-1, 1) * (abs(zx - 1) + 0.04)
        sy = chance.uniform(-1, 1) * (abs(zy - 1) + 0.04)
        theta[k] = torch.tensor([[flip / zx, 0, -flip * sx / zx], [0, 1 / zy, -sy / zy]])
        out = truth.clone()
        nx = truth[:, [1, 3]] / WIDTH * 2 - 1
        ny = truth[:, [2, 4]] / HEIGHT * 2 - 1
        nx = nx * flip * zx + sx
        ny = ny * zy + sy
        nx = nx.sort(1).values
        box = torch.stack((nx[:, 0] * WIDTH / 2 + WIDTH / 2, ny[:, 0] * HEIGHT / 2 + HEIGHT / 2,
                           nx[:, 1] * WIDTH / 2 + WIDTH / 2, ny[:, 1] * HEIGHT / 2 + HEIGHT / 2), 1)
        clipped = torch.stack((box[:, 0].clamp(0, WIDTH), box[:, 1].clamp(0, HEIGHT),
                               box[:, 2].clamp(0, WIDTH), box[:, 3].clamp(0, HEIGHT)), 1)
        size, kept = box[:, 2:] - box[:, :2], clipped[:, 2:] - clipped[:, :2]
        share = kept.prod(1) / size.prod(1).clamp(min=1e-6)
        out[:, 1:5] = clipped
        out[:, 5] *= ((share > 0.35) & (kept.min(1).values >= SHORT_SIDE_MIN)).float()
        moved.append(out[kept.min(1).values > 1])
    grid = F.affine_grid(theta, [len(truths), 3, HEIGHT, WIDTH], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False), moved


def tint(x, chance):
    """Brightness, contrast, colour balance, blur and noise, per picture; grey stays the zero point."""
    count = x.shape[0]
    gain = torch.tensor([[chance.uniform(0.7, 1.35) * chance.uniform(0.94, 1.06) for _ in range(3)] if chance.random() < 0.7
                         else [1.0, 1.0, 1.0] for _ in range(count)]).reshape(count, 3, 1, 1)
    lift = torch.tensor([chance.uniform(-0.35, 0.35) if chance.random() < 0.6 else 0.0 for _ in range(count)]).reshape(count, 1, 1, 1)
    border = (x == 0).all(1, keepdim=True)
    x = (x * gain + lift).masked_fill(border, 0.0)
    for k in range(count):
        if chance.random() < 0.2:
            x[k : k + 1] = F.avg_pool2d(x[k : k + 1], 3, 1, 1) * 0.6 + x[k : k + 1] * 0.4
        if chance.random() < 0.2:
            x[k] += torch.randn_like(x[k, :1]) * chance.uniform(0.02, 0.12)
    return x


def batch_of(pictures, truths, picks, chance, vary=True):
    """Batch as float NCHW (channels last) and its truths."""
    x = torch.zeros(len(picks), 3, HEIGHT, WIDTH).to(memory_format=torch.channels_last)
    x[:, :, TOP : TOP + CONTENT] = (pictures[picks].permute(0, 3, 1, 2).float() - 114.0) / 64.0
    chosen = [truths[k] for k in picks]
    if vary:
        x, chosen = warp(x, chosen, chance)
        x = tint(x, chance)
    return x.contiguous(memory_format=torch.channels_last), chosen

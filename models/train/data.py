"""Reads folders of pictures and truth into memory, and varies pictures on their way into a batch."""

import json
import os
import random
import zlib

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from net import HEIGHT, WIDTH

GREY = 114
RESAMPLINGS = (Image.BOX, Image.BILINEAR, Image.BICUBIC)
# Truth that is hidden or tiny (pixels of the model's input) teaches nothing; cells there are left out of the loss.
VISIBLE_MIN, SHORT_SIDE_MIN = 0.25, 4.0


def entries_of(folders):
    """Class names, and (folder, line of truth.jsonl) of every picture."""
    with open(os.path.join(folders[0], "classes.json")) as file:
        classes = json.load(file)
    entries = []
    for folder in folders:
        with open(os.path.join(folder, "truth.jsonl")) as file:
            entries += [(folder, json.loads(line)) for line in file if line.strip()]
    return classes, entries


def cache_of(folders, entries, folder):
    """A file for just these pictures: other folders, or folders that were written anew, have another name."""
    written = [os.stat(os.path.join(f, "truth.jsonl")).st_mtime_ns for f in folders]
    said = json.dumps([len(entries), written, [os.path.abspath(f) for f in folders]])
    return os.path.join(folder, f"pictures-{zlib.crc32(said.encode()):08x}.u8")


def load(folders, cache_folder):
    """
    Class names; pictures uint8 [K, HEIGHT, WIDTH, 3] in a file of `cache_folder` (made when missing: memory would not hold them);
    per picture its truth float [M, 6]: class, x1, y1, x2, y2, counts (1) or not (0).
    """
    classes, entries = entries_of(folders)
    shape = (len(entries), HEIGHT, WIDTH, 3)
    cache = cache_of(folders, entries, cache_folder)
    made = os.path.exists(cache) and os.path.getsize(cache) == int(np.prod(shape))
    pictures = np.memmap(cache if made else cache + ".part", np.uint8, "r" if made else "w+", shape=shape)
    truths = []
    chance = random.Random(1)
    for k, (folder, entry) in enumerate(entries):
        path = os.path.join(folder, entry["file"])
        with Image.open(path) as image:
            scale = min(WIDTH / image.width, HEIGHT / image.height)
            width, height = round(image.width * scale), round(image.height * scale)
            left, top = (WIDTH - width) // 2, (HEIGHT - height) // 2
            # Whoever feeds the camera's picture in will shrink it in his own way: learn several.
            how = chance.choice(RESAMPLINGS)
            if not made:
                pictures[k] = GREY
                pictures[k, top : top + height, left : left + width] = np.asarray(image.convert("RGB").resize((width, height), how))
        rows = []
        for box in entry["boxes"]:
            x1, y1, x2, y2 = (value * scale for value in box["box"])
            counts = box.get("visible", 1) >= VISIBLE_MIN and min(x2 - x1, y2 - y1) >= SHORT_SIDE_MIN
            rows.append([classes.index(box["class"]), x1 + left, y1 + top, x2 + left, y2 + top, float(counts)])
        truths.append(torch.tensor(rows, dtype=torch.float32).reshape(-1, 6))
    if not made:
        pictures.flush()
        os.replace(cache + ".part", cache)
    return classes, pictures, truths


def warp(x, truths, size, chance, vary):
    """
    Brings a batch (float, grey = 0) to `size` (height, width), a picture lying in it as in the full input: with flips, zooms and
    shifts where `vary`. Boxes follow and are clipped.
    """
    height, width = size
    content = width * HEIGHT / WIDTH
    theta = torch.zeros(len(truths), 2, 3)
    moved = []
    for k, truth in enumerate(truths):
        flip = -1.0 if vary and chance.random() < 0.5 else 1.0
        zoom = chance.uniform(0.78, 1.4) if vary and chance.random() < 0.6 else 1.0
        stretch = chance.uniform(0.92, 1.08) if zoom != 1.0 else 1.0
        zx, zy = zoom * stretch, zoom / stretch
        shift = 0.04 if vary else 0.0
        sx = chance.uniform(-1, 1) * (abs(zx - 1) + shift)
        sy = chance.uniform(-1, 1) * (abs(zy - 1) + shift)
        theta[k] = torch.tensor([[flip / zx, 0, -flip * sx / zx], [0, height / content / zy, -sy / zy]])
        nx = ((truth[:, [1, 3]] / WIDTH * 2 - 1) * flip * zx + sx).sort(1).values
        ny = (truth[:, [2, 4]] / HEIGHT * 2 - 1) * zy + sy
        xs, ys = (nx + 1) / 2 * width, (ny + 1) / 2 * content + (height - content) / 2
        box = torch.stack((xs[:, 0], ys[:, 0], xs[:, 1], ys[:, 1]), 1)
        clipped = torch.stack((xs[:, 0].clamp(0, width), ys[:, 0].clamp(0, height),
                               xs[:, 1].clamp(0, width), ys[:, 1].clamp(0, height)), 1)
        full, kept = box[:, 2:] - box[:, :2], clipped[:, 2:] - clipped[:, :2]
        share = kept.prod(1) / full.prod(1).clamp(min=1e-6)
        out = truth.clone()
        out[:, 1:5] = clipped
        out[:, 5] *= ((share > 0.35) & (kept.min(1).values >= SHORT_SIDE_MIN * width / WIDTH)).float()
        moved.append(out[kept.min(1).values > 1])
    grid = F.affine_grid(theta, [len(truths), 3, height, width], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False), moved


def tint(x, chance):
    """Brightness, contrast, colour balance, blur and noise, per picture; grey stays the zero point."""
    count = x.shape[0]
    gain = torch.tensor([[chance.uniform(0.7, 1.35) * chance.uniform(0.94, 1.06) for _ in range(3)] if chance.random() < 0.7
                         else [1.0, 1.0, 1.0] for _ in range(count)]).reshape(count, 3, 1, 1)
    lift = torch.tensor([chance.uniform(-0.35, 0.35) if chance.random() < 0.6 else 0.0 for _ in range(count)]).reshape(count, 1, 1, 1)
    border = (x == 0).all(1, keepdim=True)
    x = x.mul_(gain).add_(lift).masked_fill_(border, 0.0)
    for k in range(count):
        if chance.random() < 0.2:
            x[k : k + 1] = F.avg_pool2d(x[k : k + 1], 3, 1, 1) * 0.6 + x[k : k + 1] * 0.4
        if chance.random() < 0.2:
            x[k] += torch.randn_like(x[k, :1]) * chance.uniform(0.02, 0.12)
    return x


def batch_of(pictures, truths, picks, size, chance, vary=True):
    """Batch of `size` (height, width) as float NCHW (channels last) and its truths."""
    bytes_ = torch.from_numpy(np.stack([pictures[k] for k in picks]))
    # In place: these are as many numbers as the first layers of the net make, and memory is what costs here.
    x = bytes_.permute(0, 3, 1, 2).float().sub_(GREY).div_(64.0)
    x, chosen = warp(x, [truths[k] for k in picks], size, chance, vary)
    if vary:
        x = tint(x, chance)
    return x.contiguous(memory_format=torch.channels_last), chosen

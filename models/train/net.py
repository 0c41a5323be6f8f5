"""A small anchor-free detector: three strides, one shared head, about 0.6 M parameters."""

import numpy as np
import torch
from torch import nn

STRIDES = (8, 16, 32)
# Of the input: 16:9, as cameras film, and multiples of the coarsest stride.
WIDTH, HEIGHT = 512, 288
# Grey of the letterbox. Subtracted from the input, so that the padding of the first convolution continues it.
PAD_GREY = 114.0


def conv(cin, cout, kernel=3, stride=1):
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(cout, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """1x1 to half the channels, 3x3 back, added."""

    def __init__(self, channels):
        super().__init__()
        self.body = nn.Sequential(conv(channels, channels // 2, 1), conv(channels // 2, channels, 3))

    def forward(self, x):
        return x + self.body(x)


class Pool(nn.Module):
    """Wide context at the coarsest stride by chained max pooling."""

    def __init__(self, channels):
        super().__init__()
        self.squeeze = conv(channels, channels // 2, 1)
        self.expand = conv(channels * 2, channels, 1)
        self.pool = nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        a = self.squeeze(x)
        b = self.pool(a)
        c = self.pool(b)
        return self.expand(torch.cat((a, b, c, self.pool(c)), 1))


class Detector(nn.Module):
    """Input float NCHW, already (x - 114) / 64. Output per level: class logits and raw boxes, NCHW."""

    def __init__(self, classes, width=56):
        super().__init__()
        self.stem = nn.Sequential(conv(3, 16, 3, 2), conv(16, 32, 3, 2), Residual(32))
        self.c3 = nn.Sequential(conv(32, 64, 3, 2), Residual(64), Residual(64))
        self.c4 = nn.Sequential(conv(64, 112, 3, 2), Residual(112), Residual(112))
        self.c5 = nn.Sequential(conv(112, 128, 3, 2), Pool(128))
        self.lateral = nn.ModuleList([conv(c, width, 1) for c in (64, 112, 128)])
        self.smooth = nn.ModuleList([conv(width, width, 3) for _ in range(2)])
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.tower = conv(width, width, 3)
        self.class_tower = conv(width, width, 1)
        self.box_tower = conv(width, width, 3)
        self.class_out = nn.Conv2d(width, classes, 1)
        self.box_out = nn.ModuleList([nn.Conv2d(width, 4, 1) for _ in STRIDES])
        nn.init.constant_(self.class_out.bias, -4.6)

    def forward(self, x):
        c3 = self.c3(self.stem(x))
        c4 = self.c4(c3)
        p5 = self.lateral[2](self.c5(c4))
        p4 = self.smooth[1](self.lateral[1](c4) + self.up(p5))
        p3 = self.smooth[0](self.lateral[0](c3) + self.up(p4))
        out = []
        for level, feature in enumerate((p3, p4, p5)):
            shared = self.tower(feature)
            out.append((self.class_out(self.class_tower(shared)), self.box_out[level](self.box_tower(shared))))
        return out


def anchors_of(height, width, device=None):
    """Centres (pixels) and strides of all cells, in the order that `flatten` uses: [N, 2], [N, 1]."""
    centres, strides = [], []
    for stride in STRIDES:
        ys = (torch.arange(height // stride, device=device) + 0.5) * stride
        xs = (torch.arange(width // stride, device=device) + 0.5) * stride
        gy, gx = torch.meshgrid(ys, xs, indexing="ij")
        centres.append(torch.stack((gx, gy), -1).reshape(-1, 2))
        strides.append(torch.full((centres[-1].shape[0], 1), float(stride), device=device))
    return torch.cat(centres), torch.cat(strides)


def flatten(levels):
    """Levels to [B, N, classes] logits and [B, N, 4] raw boxes."""
    logits = torch.cat([c.permute(0, 2, 3, 1).flatten(1, 2) for c, _ in levels], 1)
    raw = torch.cat([b.permute(0, 2, 3, 1).flatten(1, 2) for _, b in levels], 1)
    return logits, raw


def decode(raw, centres, strides):
    """Raw (dx, dy, log w, log h) in strides to x1, y1, x2, y2 in pixels."""
    middle = centres + raw[..., :2] * strides
    half = torch.exp(raw[..., 2:].clamp(-4, 4)) * strides
    return torch.cat((middle - half, middle + half), -1)


class Exported(nn.Module):
    """Family gewu-uint8: image uint8 [1, H, W, 3] RGB in, boxes [1, N, 4] in input pixels and scores [1, N, C] out."""

    def __init__(self, detector):
        super().__init__()
        self.detector = detector
        centres, strides = anchors_of(HEIGHT, WIDTH)
        self.register_buffer("centres", centres)
        self.register_buffer("strides", strides)

    def forward(self, image):
        x = (image.to(torch.float32) - PAD_GREY) / 64.0
        logits, raw = flatten(self.detector(x.permute(0, 3, 1, 2)))
        return decode(raw, self.centres, self.strides), torch.sigmoid(logits)


def export(detector, path):
    wrapper = Exported(detector).eval()
    torch.onnx.export(
        wrapper,
        torch.zeros(1, HEIGHT, WIDTH, 3, dtype=torch.uint8),
        path,
        opset_version=13,
        input_names=["image"],
        output_names=["boxes", "scores"],
        do_constant_folding=True,
    )


def save_weights(detector, path):
    """What fine-tuning needs and the exported graph no longer has, in half precision: numpy's format, nothing that runs."""
    arrays = {name: value.numpy() for name, value in detector.state_dict().items() if value.dtype.is_floating_point}
    with open(path, "wb") as file:
        np.savez_compressed(file, **{name: array.astype(np.float16) for name, array in arrays.items()})


def load_weights(detector, path, classes, known):
    """
    Takes every array that fits. The score column of a class that the weights know (`known`, in their order) comes with its name;
    returns the classes that begin anew.
    """
    mine = detector.state_dict()
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    for name in ("class_out.weight", "class_out.bias"):
        column = mine[name].clone()
        for at, one in enumerate(classes):
            if one in known:
                column[at] = arrays[name][known.index(one)]
        arrays[name] = column
    detector.load_state_dict(arrays, strict=False)
    return [one for one in classes if one not in known]

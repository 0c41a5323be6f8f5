"""Which cell answers for which thing (task-aligned assignment, TOOD), and what its answer costs."""

import torch
import torch.nn.functional as F

CELLS_PER_THING = 8
# Share of the score and of the overlap in the ranking of cells.
SCORE_POWER, OVERLAP_POWER = 0.5, 4.0


def overlap(a, b):
    """IoU and GIoU of boxes [..., 4] that broadcast."""
    low = torch.maximum(a[..., :2], b[..., :2])
    high = torch.minimum(a[..., 2:], b[..., 2:])
    inter = (high - low).clamp(min=0).prod(-1)
    area = lambda box: (box[..., 2:] - box[..., :2]).clamp(min=0).prod(-1)
    union = area(a) + area(b) - inter + 1e-6
    iou = inter / union
    hull = (torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])).prod(-1) + 1e-6
    return iou, iou - (hull - union) / hull


@torch.no_grad()
def assign(scores, boxes, truth, centres, strides):
    """For one picture: target scores [N, C], owner index [N] (-1 none), weight [N] (0 where truth does not count)."""
    cells, classes = scores.shape
    target = torch.zeros(cells, classes)
    owner = torch.full((cells,), -1, dtype=torch.long)
    weight = torch.ones(cells)
    skipped = truth[truth[:, 5] == 0]
    for row in skipped:
        inside = (centres[:, 0] > row[1]) & (centres[:, 1] > row[2]) & (centres[:, 0] < row[3]) & (centres[:, 1] < row[4])
        weight[inside] = 0
    counted = truth[truth[:, 5] > 0]
    if len(counted) == 0:
        return target, owner, weight
    kinds, things = counted[:, 0].long(), counted[:, 1:5]
    middle, half = (things[:, :2] + things[:, 2:]) / 2, (things[:, 2:] - things[:, :2]) / 2
    # Flat things are often thinner than a cell: a cell may answer when its centre is within one stride of theirs.
    away = (centres[None] - middle[:, None]).abs()
    near = (away < torch.maximum(half[:, None] * 0.8, strides[None])).all(-1)
    iou, _ = overlap(things[:, None], boxes[None])
    rank = scores[:, kinds].T.clamp(min=1e-4) ** SCORE_POWER * iou.clamp(min=1e-3) ** OVERLAP_POWER * near
    # Early on no box overlaps: nearness to the centre breaks the tie.
    rank = rank + near * 1e-9 / (1 + away.sum(-1))
    top = rank.topk(min(CELLS_PER_THING, cells), dim=1).indices
    chosen = torch.zeros_like(near).scatter_(1, top, True) & near
    value = torch.where(chosen, rank, torch.zeros_like(rank))
    best, index = value.max(0)
    held = best > 0
    owner[held] = index[held]
    # The best cell of a thing aims at the overlap it reaches, its others in proportion.
    peak = value.max(1).values.clamp(min=1e-12)
    reach = (iou * chosen).max(1).values.clamp(min=0.1)
    aim = best / peak[index] * reach[index]
    target[held, kinds[index[held]]] = aim[held]
    weight[held] = 1
    return target, owner, weight


def loss_of(logits, boxes, truths, centres, strides):
    """Sum of the class loss (quality focal) and the box loss (GIoU), each per unit of target score."""
    scores = torch.sigmoid(logits.detach())
    targets, weights, picked, wanted, worth = [], [], [], [], []
    for k, truth in enumerate(truths):
        target, owner, weight = assign(scores[k], boxes[k].detach(), truth, centres, strides)
        targets.append(target)
        weights.append(weight)
        cells = (owner >= 0).nonzero().flatten()
        counted = truth[truth[:, 5] > 0]
        picked.append(boxes[k, cells])
        wanted.append(counted[owner[cells], 1:5])
        worth.append(target[cells].sum(1))
    target, weight = torch.stack(targets), torch.stack(weights)
    total = target.sum().clamp(min=1)
    focus = (scores - target).abs() ** 2 * 0.75 + target * 0.25
    class_loss = (F.binary_cross_entropy_with_logits(logits, target, reduction="none") * focus * weight[..., None]).sum() / total
    _, giou = overlap(torch.cat(picked), torch.cat(wanted))
    box_loss = ((1 - giou) * torch.cat(worth)).sum() / total
    return class_loss * 1.5 + box_loss * 2.0, class_loss.detach(), box_loss.detach()

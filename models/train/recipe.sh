#!/bin/sh
# From nothing to models/street-drawn: draws scenes, trains, exports, measures the export, writes the manifest.
#
#   models/train/recipe.sh [WORK]          about 70 minutes on two cores, 3 GiB of memory, 1 GiB of disk
#   MINUTES=10 models/train/recipe.sh      a rougher model sooner
#   RELEASE=DIR models/train/recipe.sh     writes elsewhere than models/street-drawn
#
# Needs the npm packages (run ./gewu once) and a python3 with torch, numpy, PIL and onnx (Debian: python3-torch python3-numpy python3-pil python3-onnx).
set -eu
cd "$(dirname "$0")/../.."
WORK=${1:-${TMPDIR:-/tmp}/gewu-train}
RELEASE=${RELEASE:-models/street-drawn}
NODE=${NODE:-node_modules/node/bin/node}
PYTHON=${PYTHON:-/usr/bin/python3}
mkdir -p "$WORK"

draw() { # name, seed, images
  test -f "$WORK/$1/truth.jsonl" || "$NODE" simulators/cameras/dataset.ts --out "$WORK/$1" --seed "$2" --images "$3"
}
(draw train-1 1 3600 && draw test 7001 400) &
first=$!
draw train-2 2 3600
draw val 8001 400
wait "$first"

publish="$NODE models/train/evaluate.ts --model '$WORK/run/model.onnx' --training '$WORK/run/training.json' \
  --val '$WORK/val' --test '$WORK/test' --train-seeds 1,2 --val-seed 8001 --test-seed 7001 --out '$RELEASE'"
nice -n 5 "$PYTHON" -W ignore models/train/train.py --data "$WORK/train-1" "$WORK/train-2" --out "$WORK/run" \
  --minutes "${MINUTES:-48}" --threads "${THREADS:-2}" --on-export "$publish"

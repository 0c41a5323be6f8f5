#!/bin/sh
# From nothing to models/street-drawn: draws scenes, trains, exports, measures the export, writes the manifest.
#
#   models/train/recipe.sh [WORK]          about 60 minutes on two cores that have nothing else to do, 3 GiB of memory, 1 GiB of disk
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

draw() { # drawer, name, seed, images
  test -f "$WORK/$2/truth.jsonl" || "$NODE" "simulators/$1/dataset.ts" --out "$WORK/$2" --seed "$3" --images "$4"
}
# Streets of every kind, and what the cameras of small cities see while their scripts play.
(draw cameras train-1 1 3600 && draw city city-1 1000 1600 && draw cameras test 7001 400) &
first=$!
draw cameras train-2 2 3600
draw city city-2 2000 1600
draw cameras val 8001 400
wait "$first"

publish="$NODE models/train/evaluate.ts --model '$WORK/run/model.onnx' --training '$WORK/run/training.json' \
  --val '$WORK/val' --test '$WORK/test' --train-seeds 1,2,1000,2000 --val-seed 8001 --test-seed 7001 --out '$RELEASE'"
nice -n 5 "$PYTHON" -W ignore models/train/train.py --data "$WORK/train-1" "$WORK/train-2" "$WORK/city-1" "$WORK/city-2" --out "$WORK/run" \
  --minutes "${MINUTES:-48}" --threads "${THREADS:-2}" --on-export "$publish"

import { readFile } from 'node:fs/promises';
import { evidenceJpeg, readJpeg } from '#edge/evidence/mod.ts';
import { classKey, type EventClass, type EvidenceManifest, type SignedManifest } from '#grid/mod.ts';
import { type LabelledPicture, ModelRunner, readPicture } from '#models/eval/mod.ts';
import { iou } from '#models/formats/mod.ts';
import type { Box, LoadedModel } from '#models/mod.ts';
import { newSigningKey, publicKeyOf, signManifest } from '#service/mod.ts';
import { EDGE, EDGE_PASSWORD, type EdgeClient, stall, type TestCentre } from '../ingest/api/fixture.ts';
import { sha256Of } from './evidence.ts';

/** An edge that is quicker than time: what a model finds in pictures becomes events with masked, signed pictures, as an edge makes them. */

const CLASSES: Readonly<Record<string, EventClass>> = {
  stall: { flag: 2, code: '0501' },
  garbage: { flag: 2, code: '0102' },
  ponding: { flag: 2, code: '0406' },
  open_manhole: { flag: 1, code: '0102', fault: 'cover_open' },
  vehicle: { flag: 2, code: '0505' },
};

export interface Find {
  event: string;
  detects: string;
  score: number;
  /** What a reviewer sees there. */
  verdict: { verdict: 'accepted' } | { verdict: 'rejected'; reason: 'nothing-there' | 'wrong-class' };
}

export interface FindOptions {
  model: LoadedModel;
  pictures: readonly LabelledPicture[];
  camera: string;
  /** From this score on it is an event. */
  scoreMin: number;
  /** UTC ms of the n-th picture. */
  takenAt: (n: number) => number;
}

export class QuickEdge {
  readonly #centre: TestCentre;
  readonly #client: EdgeClient;
  readonly #key = newSigningKey();
  /** By event. */
  readonly #originals = new Map<string, { jpeg: Buffer; manifest: EvidenceManifest }>();

  constructor(centre: TestCentre, client: EdgeClient) {
    this.#centre = centre;
    this.#client = client;
  }

  /** Shows its key, so that what it signs counts. */
  async register(): Promise<void> {
    const body = JSON.stringify({ publicKey: publicKeyOf(this.#key) });
    await this.#put(`/api/v1/edge-keys/${EDGE}`, body, 'application/json');
  }

  /** Answers a grant with the original of an event's picture, which it gives back too. */
  async release(grant: string, event: string): Promise<Buffer> {
    const original = this.#originals.get(event);
    if (original === undefined) throw new Error(`there is no original of ${event}`);
    const signed = JSON.stringify(signManifest(original.manifest, this.#key));
    const headers = { 'x-gewu-signed': Buffer.from(signed).toString('base64') };
    const path = `/api/v1/grants/${grant}/files/${original.manifest.sha256}`;
    await this.#put(path, new Uint8Array(original.jpeg), 'image/jpeg', headers);
    return original.jpeg;
  }

  async report({ model, pictures, camera, scoreMin, takenAt }: FindOptions): Promise<Find[]> {
    const runner = new ModelRunner(model);
    await runner.start();
    const finds: Find[] = [];
    try {
      for (const [n, picture] of pictures.entries()) {
        const detections = await runner.detect(await readPicture(picture.file));
        const people = detections.filter((d) => d.class === 'person' && d.score >= 0.3).map((d) => d.box);
        for (const [k, { class: detects, box, score }] of detections.entries()) {
          if (detects === 'person' || score < scoreMin || CLASSES[detects] === undefined) continue;
          const event = `${camera}-${n}-${k}`;
          await this.#event({ event, detects, box, score, people, camera, at: takenAt(n), file: picture.file, model });
          finds.push({ event, detects, score, verdict: verdictOn(detects, box, picture) });
        }
      }
    } finally {
      await runner.stop();
    }
    return finds;
  }

  async #event({ event, detects, box, score, people, camera, at, file, model }: Told): Promise<void> {
    const original = await readFile(file);
    const picture = await readJpeg(original);
    const { widthPx, heightPx } = picture;
    const share = ([l, t, r, b]: Box): Box => [
      Math.max(0, l / widthPx),
      Math.max(0, t / heightPx),
      Math.min(1, r / widthPx),
      Math.min(1, b / heightPx),
    ];
    const { name, version } = model.manifest;
    const eventClass = CLASSES[detects] as EventClass;
    const place = stall(event).data.place;
    const about = {
      v: 1,
      mediaType: 'image/jpeg',
      kind: 'snapshot',
      event,
      edge: EDGE,
      camera,
      takenAt: at,
      clockOffsetMs: 0,
    } as const;
    const caption = { nameZh: detects, nameEn: detects, classKey: classKey(eventClass), confidence: score, takenAt: at };
    const masked = await evidenceJpeg(
      picture,
      { box: share(box), people: people.map(share), clear: false },
      { ...caption, ...place, timeZone: 'Asia/Shanghai', camera },
    );
    const manifest: EvidenceManifest = {
      ...{ ...about, class: classKey(eventClass), model: `${name}@${version}`, place, masked: true },
      ...{ sha256: sha256Of(masked), bytes: masked.length, original: sha256Of(original) },
      shows: { widthPx, heightPx, box: share(box) as [number, number, number, number] },
    };
    const signed: SignedManifest = signManifest(manifest, this.#key);
    const { original: hash = '', ...rest } = manifest;
    this.#originals.set(event, { jpeg: original, manifest: { ...rest, sha256: hash, bytes: original.length, masked: false } });
    const ref = { sha256: manifest.sha256, mediaType: 'image/jpeg' as const, bytes: masked.length, takenAt: at, signed };
    const origin = { by: 'camera', camera, zone: 'z-1', track: event, detects, model: `${name}@${version}` } as const;
    const data = { origin: { ...origin, provenance: 'drawn-scenes', simulated: false } as const, suppressed: 'shadow' as const };
    const times = { startedAt: at, confirmedAt: at, lastSeenAt: at };
    const record = stall(event, 1, { ...data, ...times, class: eventClass, confidence: Math.min(1, score), evidence: [ref] });
    await this.#client.send('events', [record]);
    await this.#put(`/api/v1/evidence/${ref.sha256}`, new Uint8Array(masked), ref.mediaType, { 'x-gewu-event': event });
  }

  async #put(
    path: string,
    body: string | Uint8Array<ArrayBuffer>,
    type: string,
    more: Record<string, string> = {},
  ): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${EDGE}:${EDGE_PASSWORD}`).toString('base64')}`;
    const response = await this.#centre.raw(path, {
      method: 'PUT',
      body,
      headers: { authorization, 'content-type': type, ...more },
    });
    if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
  }
}

interface Told {
  event: string;
  detects: string;
  box: Box;
  score: number;
  people: readonly Box[];
  camera: string;
  at: number;
  file: string;
  model: LoadedModel;
}

/** A reviewer who knows the truth: it is there, something else is, or nothing. */
function verdictOn(detects: string, box: Box, { boxes }: LabelledPicture): Find['verdict'] {
  const overlaps = boxes.filter((b) => iou(b.box, box) >= 0.3);
  if (overlaps.some((b) => b.class === detects)) return { verdict: 'accepted' };
  return { verdict: 'rejected', reason: overlaps.length > 0 ? 'wrong-class' : 'nothing-there' };
}

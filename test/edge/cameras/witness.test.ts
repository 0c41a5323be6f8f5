import { expect, onTestFinished, test, vi } from 'vitest';
import type { Track } from '#edge/vision/mod.ts';
import { groundOf } from '#edge/vision/mod.ts';
import { ManualClock } from '#service/mod.ts';
import { type Looked, Lookout } from '../../../edge/cameras/lookout.ts';
import { Witness, type WitnessDeps } from '../../../edge/cameras/witness.ts';
import type { Question } from '../../../edge/events.ts';
import { siteCamera } from '../vision/street.ts';
import { greyPicture } from './pictures.ts';

const camera = siteCamera();
const ground = groundOf(camera);
const FRONT = [1, 14] as const;

function question(changes: Partial<Question> = {}): Question {
  const place = { ...ground.toPosition(FRONT), errorRadiusM: 3, cell: '110101001001001' };
  return { event: 'e-1', class: { flag: 1, code: '0102', fault: 'cover_open' }, place, ...changes };
}

function shaft(offM = 0.5, className = 'open_manhole'): Track {
  const point = [FRONT[0] + offM, FRONT[1]] as const;
  return {
    id: 't',
    class: className,
    box: [0.5, 0.5, 0.6, 0.6],
    score: 0.7,
    point,
    errorRadiusM: 1,
    foot: [0.55, 0.55],
    confirmed: true,
    seen: true,
    newFrom: null,
  };
}

function asking({ cameras = [{ camera, online: true }], asked = question() } = {}) {
  const clock = new ManualClock();
  const lookout = new Lookout();
  const photograph: WitnessDeps['photograph'] = async (_, { at: takenAt }) => ({
    sha256: '0'.repeat(64),
    mediaType: 'image/jpeg',
    bytes: 1,
    takenAt,
  });
  const witness = new Witness({ bystanders: () => cameras, lookout, photograph, clock });
  const answer = witness.ask(asked);
  const full = greyPicture(64, 36, 90);
  const show = (id: string, tracks: Track[], trusted = true): void => {
    clock.advance(1000);
    lookout.tell(
      id,
      () =>
        ({
          full,
          at: clock.now(),
          ms: clock.monotonic(),
          people: [],
          tracks,
          clear: [],
          trusted: () => trusted,
        }) satisfies Looked,
    );
  };
  return { answer, show };
}

test('seen twice it is there; once, too far away, or of another class it is not', async () => {
  const twice = asking();
  for (const tracks of [[shaft()], [], [shaft()]]) twice.show('cam-01', tracks);
  expect(await twice.answer).toMatchObject({
    second: { verdict: 'agrees', camera: 'cam-01', detected: { class: 'open_manhole', score: 0.7, offM: 0.5 } },
    evidence: [{ mediaType: 'image/jpeg' }],
  });
  const others = [
    [[shaft()], [], []],
    [[shaft(7)], [shaft(7)], [shaft(7)]],
    [[shaft(0.5, 'garbage')], [shaft(0.5, 'garbage')], [shaft(0.5, 'garbage')]],
  ];
  for (const pictures of others) {
    const { answer, show } = asking();
    for (const tracks of pictures) show('cam-01', tracks);
    const { second, evidence } = await answer;
    expect(second).toMatchObject({ verdict: 'disagrees' });
    expect(second.detected).toBeUndefined();
    expect(evidence).toHaveLength(1);
  }
});

test('what a model has no name for, and a model that may not speak here, give a picture and no opinion', async () => {
  const hydrant = asking({ asked: question({ class: { flag: 1, code: '0113', fault: 'hydrant_knocked_over' } }) });
  for (let n = 0; n < 3; n++) hydrant.show('cam-01', [shaft()]);
  expect(await hydrant.answer).toMatchObject({ second: { verdict: 'no-opinion' }, evidence: [{}] });
  const untrusted = asking();
  for (let n = 0; n < 3; n++) untrusted.show('cam-01', [shaft()], false);
  expect(await untrusted.answer).toMatchObject({ second: { verdict: 'no-opinion' }, evidence: [{}] });
});

test('the nearest camera is asked that shows something and has the place in view', async () => {
  const far = { ...siteCamera({ id: 'cam-far' }) };
  const nearer = { ...siteCamera({ id: 'cam-near' }), lat: camera.lat + 3e-5 };
  const cameras = [
    { camera: far, online: true },
    { camera: nearer, online: true },
    { camera: { ...nearer, id: 'cam-dead' }, online: false },
  ];
  const { answer, show } = asking({ cameras });
  for (let n = 0; n < 3; n++) for (const id of ['cam-far', 'cam-near', 'cam-dead']) show(id, []);
  expect((await answer).second).toMatchObject({ verdict: 'disagrees', camera: 'cam-near' });
  const behind = { ...question().place, ...ground.toPosition([0, -30]) };
  expect(await asking({ asked: question({ place: behind }) }).answer).toMatchObject({
    second: { verdict: 'no-camera' },
    evidence: [],
  });
});

test('a camera that shows nothing has no view, and says so within eight seconds', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const lookout = new Lookout();
  const answer = new Witness({
    bystanders: () => [{ camera, online: true }],
    lookout,
    photograph: async () => null,
    clock: new ManualClock(),
  }).ask(question());
  await vi.advanceTimersByTimeAsync(8000);
  expect(await answer).toMatchObject({ second: { verdict: 'no-view', camera: 'cam-01' }, evidence: [] });
});

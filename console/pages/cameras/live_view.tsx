import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LiveBox } from '#grid/live/mod.ts';
import { zh } from '../../i18n/mod.ts';
import { type LiveStatus, LiveViewer } from '../../live/mod.ts';
import { Ago } from '../../parts/mod.ts';
import { useDetects } from './names.ts';
import type { Overlays } from './overlays.tsx';

/**
 * One live view, for as long as it is on the page. Masked without a grant, raw with one. It fills its parent; `status` says what it
 * is doing, in words, because a black picture says nothing.
 */
export function LiveView({
  camera,
  grant = null,
  lastAt = null,
  overlays,
  onAspect,
}: {
  camera: string;
  grant?: string | null;
  /** UTC ms of the last picture that the centre has; it is shown while nothing plays. */
  lastAt?: number | null | undefined;
  overlays: Overlays;
  /** Width / height of the picture, as soon as it is known. */
  onAspect?: (aspect: number) => void;
}) {
  const { t } = useTranslation();
  const detects = useDetects();
  const box = useRef<HTMLDivElement>(null);
  const viewer = useRef<LiveViewer | null>(null);
  const [status, setStatus] = useState<LiveStatus>({ phase: 'connecting' });
  const [turn, setTurn] = useState(0);
  const aspect = useRef(onAspect);
  aspect.current = onAspect;
  const label = useRef((_box: LiveBox): string => '');
  label.current = ({ class: name, track, score }) =>
    `${detects(name)} ${track.slice(track.lastIndexOf('-') + 1)} · ${Math.round(score * 100)} %`;
  const { boxes, zones } = overlays;

  // biome-ignore lint/correctness/useExhaustiveDependencies: another turn is another try
  useEffect(() => {
    const container = box.current;
    if (container === null) return;
    const one = new LiveViewer({
      container,
      camera,
      ...(grant === null ? { view: 'masked' } : { view: 'raw', grant }),
      overlay: { label: (b) => label.current(b) },
      onStatus: setStatus,
      onBegin: ({ widthPx, heightPx }) => aspect.current?.(widthPx / heightPx),
    });
    viewer.current = one;
    one.start();
    return () => {
      viewer.current = null;
      one.stop();
    };
  }, [camera, grant, turn]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new viewer draws all until it is told
  useEffect(() => viewer.current?.setOverlay({ boxes, zones }), [boxes, zones, camera, grant, turn]);

  const playing = status.phase === 'playing';
  return (
    <>
      <div
        ref={box}
        className="live-view"
        role="img"
        aria-label={t('cameras.liveOf', { id: camera })}
        data-phase={status.phase}
      />
      {lastAt !== null && !playing && <LastPicture camera={camera} at={lastAt} onAspect={(of) => aspect.current?.(of)} />}
      <span className={`live-state is-${status.phase}`}>
        <i aria-hidden="true">{SIGNS[status.phase]}</i>
        {playing ? t(grant === null ? 'cameras.phase.masked' : 'cameras.phase.raw') : <PhaseText status={status} />}
      </span>
      {status.phase === 'ended' && (
        <button type="button" className="live-again" onClick={() => setTurn(turn + 1)}>
          {t('cameras.again')}
        </button>
      )}
    </>
  );
}

/** How it looked when it was seen last: masked, and with its age. */
function LastPicture({ camera, at, onAspect }: { camera: string; at: number; onAspect: (aspect: number) => void }) {
  const { t } = useTranslation();
  const alt = t('cameras.lastPicture');
  return (
    <>
      <img
        className="last-picture"
        src={`/api/v1/cameras/${camera}/snapshot?at=${at}`}
        alt={alt}
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => onAspect(naturalWidth / naturalHeight)}
      />
      <span className="camera-age">
        {alt} · <Ago at={at} />
      </span>
    </>
  );
}

/** Colour is never the only sign. */
const SIGNS: Record<LiveStatus['phase'], string> = { connecting: '○', waiting: '◔', playing: '●', paused: '‖', ended: '✕' };

function PhaseText({ status: { phase, code } }: { status: LiveStatus }) {
  const { t } = useTranslation();
  if (phase === 'playing') return null;
  if (phase !== 'ended') return t(`cameras.phase.${phase}`);
  const { ends } = zh.cameras;
  return code !== undefined && Object.hasOwn(ends, code) ? t(`cameras.ends.${code as keyof typeof ends}`) : code;
}

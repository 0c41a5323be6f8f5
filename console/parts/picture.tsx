import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Nothing } from './page.tsx';

/** A picture of evidence, whole and as large as there is room; a click shows it in its own size. */
export function Picture({ sha256, alt }: { sha256: string; alt: string }) {
  const { t } = useTranslation();
  const [away, setAway] = useState(false);
  const path = `/api/v1/evidence/${sha256}`;
  if (away) return <Nothing text={t('events.evidencePending')} />;
  return (
    <figure className="picture">
      <a href={path} target="_blank" rel="noreferrer">
        <img src={path} alt={alt} onError={() => setAway(true)} />
      </a>
      <figcaption className="dim mono">{t('events.evidenceCheck', { hash: `${sha256.slice(0, 16)}…` })}</figcaption>
    </figure>
  );
}

/** A masked clip. Cameras of the city record no sound, so there is nothing to caption. */
export function Clip({ sha256 }: { sha256: string }) {
  const { t } = useTranslation();
  return (
    <video
      className="clip"
      controls
      muted
      playsInline
      preload="metadata"
      aria-label={t('cases.evidence')}
      src={`/api/v1/evidence/${sha256}`}
    />
  );
}

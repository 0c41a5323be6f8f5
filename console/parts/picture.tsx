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

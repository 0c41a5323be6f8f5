import { useTranslation } from 'react-i18next';
import type { DesiredStatus, DesiredSummary } from '#grid/api/mod.ts';
import { Ago } from './time.tsx';

const LOOKS: Record<DesiredStatus, [look: string, sign: string]> = {
  none: ['low', '○'],
  pending: ['high', '◔'],
  confirmed: ['good', '✓'],
  refused: ['bad', '✕'],
  ignored: ['bad', '‖'],
  ahead: ['high', '▲'],
};

/** What an edge has made of what is wanted of it, with its own reasons. */
export function DesiredState({ of, long = false }: { of: DesiredSummary; long?: boolean }) {
  const { t } = useTranslation();
  const [look, sign] = LOOKS[of.status];
  return (
    <span className="desired" role="status">
      <span className={`tag ${look}`} data-status={of.status} data-revision={of.revision}>
        <i aria-hidden="true">{sign}</i>
        {t(`desired.status.${of.status}`)}
      </span>
      <span className="dim small">
        {of.revision > 0 && t('desired.revision', { n: of.revision })}
        {of.reportedAt !== null && (
          <>
            {' · '}
            <Ago at={of.reportedAt} />
          </>
        )}
      </span>
      {long &&
        of.notes.map((note) => (
          <span key={`${note.key} ${note.message}`} className="desired-note">
            <span className="mono">{note.key || note.code}</span> {note.message}
          </span>
        ))}
    </span>
  );
}

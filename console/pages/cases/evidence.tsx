import { EyeOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { CaseEvidenceAnswer, SignatureState } from '#grid/api/mod.ts';
import type { Case } from '#grid/mod.ts';
import { sha256Of, useThing } from '../../api/mod.ts';
import { Moment, Nothing, Panel, Shown } from '../../parts/mod.ts';
import { Clip, Picture } from '../../parts/picture.tsx';

type File = CaseEvidenceAnswer['items'][number];

/**
 * The files of a case. Their name is their hash: it is checked here, on the bytes that this browser got. Who signed for them is
 * judged by the centre, with the keys that it has pinned.
 */
export function Evidence({ of, onOriginal }: { of: Case; onOriginal: ((sha256: string) => void) | null }) {
  const { t } = useTranslation();
  const asked = useThing<CaseEvidenceAnswer>(['cases', 'evidence', of.id, of.updatedAt], `/api/v1/cases/${of.id}/evidence`);
  return (
    <Panel title={t('cases.evidence')}>
      <Shown of={asked} rows={5}>
        {({ items }) => {
          const files = [...new Map(items.map((file) => [file.sha256, file])).values()];
          if (files.length === 0) return <Nothing text={t('cases.noEvidence')} />;
          return (
            <div className="files">
              {files.map((file) => (
                <OneFile key={file.sha256} file={file} onOriginal={onOriginal} />
              ))}
            </div>
          );
        }}
      </Shown>
    </Panel>
  );
}

function OneFile({ file, onOriginal }: { file: File; onOriginal: ((sha256: string) => void) | null }) {
  const { t } = useTranslation();
  return (
    <div className="file" data-signature={file.signature}>
      {file.status === 'pending' ? (
        <Nothing text={t('events.evidencePending')} />
      ) : file.mediaType === 'image/jpeg' ? (
        <Picture sha256={file.sha256} alt={t('cases.evidence')} />
      ) : file.mediaType === 'video/mp4' ? (
        <Clip sha256={file.sha256} />
      ) : (
        <a className="mono" href={`/api/v1/evidence/${file.sha256}`} target="_blank" rel="noreferrer">
          {file.mediaType} {file.sha256.slice(0, 16)}…
        </a>
      )}
      <div className="bar file-proof">
        <Moment at={file.takenAt} />
        {file.masked !== null && <span className="tag low">{t(file.masked ? 'cases.masked' : 'cases.unmasked')}</span>}
        {file.status === 'stored' && <Hash file={file} />}
        <Signature of={file.signature} signed={file.signed} />
        {file.clockDoubt !== null && (
          <span className="tag high" title={file.clockDoubt}>
            ▲ {t('cases.clockDoubt')}
          </span>
        )}
        {file.original && onOriginal && (
          <Button size="small" icon={<EyeOutlined />} onClick={() => onOriginal(file.sha256)}>
            {t('grants.original')}
          </Button>
        )}
      </div>
    </div>
  );
}

type Checked = 'open' | 'busy' | 'good' | 'bad';

/** Pictures are checked at once; a clip is large, and is when somebody wants it. */
function Hash({ file: { sha256, mediaType } }: { file: File }) {
  const { t } = useTranslation();
  const [state, setState] = useState<Checked>('open');
  const [wanted, setWanted] = useState(mediaType !== 'video/mp4');
  const able = Boolean(crypto.subtle);
  useEffect(() => {
    if (!wanted || !able) return;
    const over = new AbortController();
    setState('busy');
    isTrue(sha256, over.signal).then(
      (right) => setState(right ? 'good' : 'bad'),
      () => {
        if (!over.signal.aborted) setState('open');
      },
    );
    return () => over.abort();
  }, [wanted, able, sha256]);
  if (!able) return <span className="tag low">○ {t('cases.hashUnchecked')}</span>;
  if (state === 'good') return <span className="tag good">✓ {t('cases.verified')}</span>;
  if (state === 'bad') return <span className="tag bad">✕ {t('cases.mismatch')}</span>;
  return (
    <Button size="small" loading={state === 'busy'} onClick={() => setWanted(true)}>
      {t('cases.verify')}
    </Button>
  );
}

async function isTrue(sha256: string, signal: AbortSignal): Promise<boolean> {
  const response = await fetch(`/api/v1/evidence/${sha256}`, { cache: 'no-store', signal });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await sha256Of(await response.arrayBuffer())) === sha256;
}

/** Valid, nobody's, or something to ask about: docs/evidence.md. */
const LOOKS: Record<SignatureState, [look: string, sign: string]> = {
  valid: ['good', '✓'],
  unsigned: ['low', '○'],
  'unknown-key': ['high', '▲'],
  broken: ['bad', '✕'],
  'other-file': ['bad', '✕'],
  foreign: ['bad', '✕'],
};

function Signature({ of, signed }: { of: SignatureState; signed: File['signed'] }) {
  const { t } = useTranslation();
  const [look, sign] = LOOKS[of];
  return (
    <span className={`tag ${look}`} title={signed ? `${signed.manifest.edge} ${signed.key}` : undefined}>
      <i aria-hidden="true">{sign}</i>
      {t(`cases.signature.${of}`)}
      {of === 'valid' && signed && ` · ${signed.manifest.edge}`}
    </span>
  );
}

import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Case } from '#grid/mod.ts';
import { sha256Of } from '../../api/mod.ts';
import { Moment, Nothing, Panel } from '../../parts/mod.ts';
import { Clip, Picture } from '../../parts/picture.tsx';

type File = Case['evidence'][number];

/** The files of a case. Their name is their hash: anybody can check it here, on the bytes that his browser got. */
export function Evidence({ of }: { of: Case }) {
  const { t } = useTranslation();
  const files = [...new Map(of.evidence.map((file) => [file.sha256, file])).values()];
  return (
    <Panel title={t('cases.evidence')}>
      {files.length === 0 && <Nothing text={t('cases.noEvidence')} />}
      <div className="files">
        {files.map((file) => (
          <div key={file.sha256} className="file">
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
            <div className="bar">
              <Moment at={file.takenAt} />
              {file.status === 'stored' && crypto.subtle && <Check file={file} />}
            </div>
          </div>
        ))}
      </div>
    </Panel>
  );
}

function Check({ file }: { file: File }) {
  const { t } = useTranslation();
  const [state, setState] = useState<'open' | 'busy' | 'good' | 'bad'>('open');
  const check = async () => {
    setState('busy');
    const response = await fetch(`/api/v1/evidence/${file.sha256}`, { cache: 'no-store' });
    const right = response.ok && (await sha256Of(await response.arrayBuffer())) === file.sha256;
    setState(right ? 'good' : 'bad');
  };
  if (state === 'good') return <span className="tag good">✓ {t('cases.verified')}</span>;
  if (state === 'bad') return <span className="tag bad">✕ {t('cases.mismatch')}</span>;
  return (
    <Button size="small" loading={state === 'busy'} onClick={() => void check()}>
      {t('cases.verify')}
    </Button>
  );
}

import { Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DeadLetterAnswer, DeadLetterCounts } from '#grid/api/mod.ts';
import { usePages, useThing } from '../../api/mod.ts';
import { Ago, Facts, Moment, Nothing, Panel, Shown } from '../../parts/mod.ts';

/** What could not be used, by reason and one by one, with the payload as it came. */
export function DeadLetters() {
  const { t, i18n } = useTranslation();
  const [code, setCode] = useState<string | undefined>();
  const [read, setRead] = useState<DeadLetterAnswer | null>(null);
  const counts = useThing<DeadLetterCounts>(['pipeline', 'counts'], '/api/v1/dead-letters/counts');
  const letters = usePages<DeadLetterAnswer>('pipeline', '/api/v1/dead-letters', { code });
  return (
    <Panel title={t('pipeline.letters')}>
      <Shown of={counts} rows={1}>
        {({ items }) => (
          <fieldset className="chips" aria-label={t('pipeline.byCode')}>
            {items.map((c) => (
              <Button
                key={`${c.edge} ${c.hop} ${c.code}`}
                size="small"
                type={code === c.code ? 'primary' : 'default'}
                aria-pressed={code === c.code}
                onClick={() => setCode(code === c.code ? undefined : c.code)}
              >
                {c.edge} · {c.code} · {c.count.toLocaleString(i18n.language)}
              </Button>
            ))}
          </fieldset>
        )}
      </Shown>
      {letters.data !== undefined && letters.items.length === 0 && <Nothing text={t('pipeline.noLetters')} />}
      <ul className="lines">
        {letters.items.map((letter) => (
          <li key={letter.id}>
            <button type="button" className="plain-button mono" onClick={() => setRead(letter)}>
              {letter.code}
            </button>
            <span>
              {letter.edge} · {letter.hop} · {letter.source}
            </span>
            <span className="dim cut">{letter.reason}</span>
            <Ago at={letter.ts} />
          </li>
        ))}
      </ul>
      {letters.hasNextPage && (
        <Button loading={letters.isFetchingNextPage} onClick={() => void letters.fetchNextPage()}>
          {t('action.more')}
        </Button>
      )}
      {read && (
        <Modal open title={read.code} footer={null} onCancel={() => setRead(null)} width={640}>
          <Facts
            rows={[
              [t('field.time'), <Moment key="at" at={read.ts} />],
              [t('field.edge'), read.edge],
              [t('pipeline.hop'), read.hop],
              [t('field.source'), read.source],
              [t('field.reason'), read.reason],
            ]}
          />
          <h3>{t('pipeline.payload')}</h3>
          <pre className="payload">{textOf(read.payload)}</pre>
        </Modal>
      )}
    </Panel>
  );
}

/** Base64 to what it says, bytes that are no text shown as such. */
function textOf(payload: string): string {
  const bytes = Uint8Array.from(atob(payload), (c) => c.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}

import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DeadLetterAnswer, DeadLetterCounts } from '#grid/api/mod.ts';
import { usePages, useThing } from '../../api/mod.ts';
import { Ago, codeText, Nothing, Panel, SelectFilter, Shown, useFilter } from '../../parts/mod.ts';
import { Letter } from './letter.tsx';

const RENEW_MS = 5_000;
const HOPS = ['device', 'readings', 'events', 'health', 'frame'] as const;

/** What could not be used, by reason and one by one, to be mended and replayed. What is looked for stands in the URL. */
export function DeadLetters() {
  const { t, i18n } = useTranslation();
  const [code, setCode] = useFilter('code');
  const [hop] = useFilter('hop');
  const [edge] = useFilter('edge');
  const [read, setRead] = useState<DeadLetterAnswer | null>(null);
  const counts = useThing<DeadLetterCounts>(['pipeline', 'counts'], '/api/v1/dead-letters/counts', RENEW_MS);
  const letters = usePages<DeadLetterAnswer>('pipeline', '/api/v1/dead-letters', { code, hop, edge }, true, RENEW_MS);
  const edges = [...new Set((counts.data?.items ?? []).map((c) => c.edge))].sort();
  return (
    <Panel
      title={t('pipeline.letters')}
      beside={
        <span className="page-beside">
          <SelectFilter name="hop" label={t('filter.hop')} options={HOPS.map((value) => ({ value, label: value }))} />
          <SelectFilter name="edge" label={t('filter.edge')} options={edges.map((value) => ({ value, label: value }))} />
        </span>
      }
    >
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
            {letter.replays > 0 && <span className="tag">{t('pipeline.replays', { n: letter.replays })}</span>}
            <span>{codeText(letter.code)}</span>
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
      {read && <Letter key={read.id} of={read} onClose={() => setRead(null)} onOther={setRead} />}
    </Panel>
  );
}

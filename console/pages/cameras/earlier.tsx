import { HistoryOutlined } from '@ant-design/icons';
import { Button, Drawer } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { RevisionAnswer, RevisionStateAnswer } from '#grid/api/mod.ts';
import { call, useThing, withQuery } from '../../api/mod.ts';
import { Moment, Nothing, Shown } from '../../parts/mod.ts';

type CameraState = NonNullable<RevisionStateAnswer['state']['cameras']>[string];
const REVISIONS_SHOWN = 50;

/** Earlier revisions of an edge; one is taken as a draft, to be looked at and sent as a new one. Null: the edge's own file had it. */
export function Earlier({ edge, camera, onTake }: { edge: string; camera: string; onTake: (state: CameraState | null) => void }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const path = withQuery(`/api/v1/edges/${edge}/desired/revisions`, { limit: REVISIONS_SHOWN });
  const asked = useThing<{ items: RevisionAnswer[] }>(['desired', edge, 'revisions'], open ? path : null);
  const take = async (revision: number) => {
    const { state } = await call<RevisionStateAnswer>(`/api/v1/edges/${edge}/desired/revisions/${revision}`);
    onTake(state.cameras?.[camera] ?? null);
    setOpen(false);
  };
  return (
    <>
      <Button icon={<HistoryOutlined />} onClick={() => setOpen(true)}>
        {t('desired.earlier')}
      </Button>
      <Drawer open={open} onClose={() => setOpen(false)} title={t('desired.earlier')} size={420}>
        <p className="dim small">{t('desired.earlierHint')}</p>
        <Shown of={asked} rows={4}>
          {({ items }) =>
            items.length === 0 ? (
              <Nothing text={t('desired.noRevisions')} />
            ) : (
              <ul className="lines">
                {items.map((r) => (
                  <li key={r.revision}>
                    <b>{t('desired.revision', { n: r.revision })}</b>
                    <span className="dim">{r.by}</span>
                    <q>{r.reason}</q>
                    <Button size="small" onClick={() => void take(r.revision)}>
                      {t('desired.take')}
                    </Button>
                    <Moment at={r.at} />
                  </li>
                ))}
              </ul>
            )
          }
        </Shown>
      </Drawer>
    </>
  );
}

import { useQueryClient } from '@tanstack/react-query';
import { App, Button, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { GroupAnswer, Thing } from '#grid/api/mod.ts';
import { call, useMay, useThing } from '../../api/mod.ts';
import { BeginMaintenance, faultText, useMaintenance } from '../../parts/mod.ts';

/** As many as one call takes: of `BULK_MAX` in grid/api/upkeep.ts, whose module would bring the schema library into the browser. */
const CHOSEN_MAX = 500;

export interface Chosen {
  of: Thing['of'];
  things: Thing[];
  /** Undefined for who may change nothing. */
  select: { chosen: ReadonlySet<string>; toggle: (id: string) => void } | undefined;
  all: () => void;
  none: () => void;
}

/** Things that are chosen in a list, for what is done with several at once. */
export function useChosen(of: Thing['of'], items: readonly { id: string }[]): Chosen {
  const { ops } = useMay();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const toggle = (id: string) =>
    setChosen((before) => {
      const next = new Set(before);
      if (!next.delete(id) && next.size < CHOSEN_MAX) next.add(id);
      return next;
    });
  return {
    of,
    things: [...chosen].map((id) => ({ of, id })),
    select: ops ? { chosen, toggle } : undefined,
    all: () => setChosen(new Set(items.slice(0, CHOSEN_MAX).map((i) => i.id))),
    none: () => setChosen(new Set()),
  };
}

/** What can be done with the chosen ones; nothing is shown before something is chosen. */
export function BulkBar({ chosen }: { chosen: Chosen }) {
  const { t } = useTranslation();
  const { end } = useMaintenance();
  const [beginning, setBeginning] = useState(false);
  const { things, all, none } = chosen;
  if (things.length === 0) return null;
  return (
    <div className="bulk" role="toolbar" aria-label={t('upkeep.selected', { n: things.length })}>
      <b>{t('upkeep.selected', { n: things.length })}</b>
      <Button onClick={() => setBeginning(true)}>{t('upkeep.begin')}</Button>
      <Button onClick={() => void end({ subjects: things })}>{t('upkeep.end')}</Button>
      <Grouping things={things} />
      <Button type="link" onClick={all}>
        {t('upkeep.selectAll')}
      </Button>
      <Button type="link" onClick={none}>
        {t('upkeep.unselect')}
      </Button>
      {beginning && <BeginMaintenance subjects={things} onClose={() => setBeginning(false)} />}
    </div>
  );
}

function Grouping({ things }: { things: readonly Thing[] }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const client = useQueryClient();
  const groups = useThing<{ items: GroupAnswer[] }>(['upkeep', 'groups'], '/api/v1/upkeep/groups');
  const options = (groups.data?.items ?? []).filter((g) => g.kind === 'free').map((g) => ({ value: g.id, label: g.name }));
  const change = async (id: string, body: { add?: readonly Thing[]; remove?: readonly Thing[] }) => {
    try {
      const { name } = await call<GroupAnswer>(`/api/v1/upkeep/groups/${id}/members`, { method: 'POST', body });
      void message.success(t('upkeep.groupChanged', { name }));
    } catch (error) {
      void message.error(faultText(error));
    }
    await Promise.all([['devices'], ['upkeep']].map((queryKey) => client.invalidateQueries({ queryKey })));
  };
  if (options.length === 0) return null;
  return (
    <>
      <Select
        aria-label={t('upkeep.toGroup')}
        placeholder={t('upkeep.toGroup')}
        options={options}
        value={null}
        onChange={(id: string) => void change(id, { add: things })}
        popupMatchSelectWidth={false}
      />
      <Select
        aria-label={t('upkeep.fromGroup')}
        placeholder={t('upkeep.fromGroup')}
        options={options}
        value={null}
        onChange={(id: string) => void change(id, { remove: things })}
        popupMatchSelectWidth={false}
      />
    </>
  );
}

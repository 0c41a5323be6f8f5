import { Button } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Failure, Nothing, Waiting } from './page.tsx';
import type { Pages } from './rows.tsx';

/** A list of any length as lines, page by page by a button: for panels, where a list that scrolls inside would be in the way. */
export function Lines<T>({ pages, empty, children }: { pages: Pages<T>; empty: string; children: (item: T) => ReactNode }) {
  const { t } = useTranslation();
  if (pages.data === undefined) return pages.error ? <Failure error={pages.error} again={pages.refetch} /> : <Waiting rows={3} />;
  if (pages.items.length === 0) return <Nothing text={empty} />;
  return (
    <>
      <ul className="lines">{pages.items.map(children)}</ul>
      {pages.hasNextPage && (
        <Button loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {t('action.more')}
        </Button>
      )}
    </>
  );
}

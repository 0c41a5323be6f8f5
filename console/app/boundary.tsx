import { useQuery } from '@tanstack/react-query';
import { Button, Result } from 'antd';
import { Component, type ComponentType, lazy, type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

/** The code of a page did not come: the centre is away, or has the files of another console by now. */
class PageMissing extends Error {}

/** A page whose code is fetched when somebody goes there. */
export function loaded(load: () => Promise<{ default: ComponentType }>) {
  return lazy(() =>
    load().catch((cause: unknown) => {
      throw new PageMissing('the code of this page did not come', { cause });
    }),
  );
}

/** A fault of ours is said, not shown as an empty page; what stands around it goes on, and so does the next page. */
export class Boundary extends Component<{ of?: string; children: ReactNode }, { fault: Error | null }> {
  override state = { fault: null as Error | null };

  static getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  /** `of` is another one: what is shown is, too. */
  override componentDidUpdate({ of }: { of?: string }) {
    if (of !== this.props.of && this.state.fault !== null) this.setState({ fault: null });
  }

  override render() {
    const { fault } = this.state;
    if (fault === null) return this.props.children;
    return fault instanceof PageMissing ? <Missing /> : <Fault fault={fault} />;
  }
}

function Fault({ fault }: { fault: Error }) {
  const { t } = useTranslation();
  return (
    <Result
      status="error"
      title={t('state.fault')}
      subTitle={fault.message}
      extra={<Button onClick={() => location.reload()}>{t('action.reload')}</Button>}
    />
  );
}

const ASK_MS = 3_000;
const RELOADED = 'gewu.reloaded';
/** So soon after the last time the page is not loaded again by itself. */
const RELOAD_MS_MIN = 60_000;

/** Waits for the centre and loads the page anew, once. */
function Missing() {
  const { t } = useTranslation();
  const [tried] = useState(() => Date.now() - Number(sessionStorage.getItem(RELOADED)) < RELOAD_MS_MIN);
  const { isSuccess: isThere } = useQuery({
    queryKey: ['page', location.pathname],
    queryFn: async ({ signal }) => {
      const { status } = await fetch(location.pathname, { cache: 'no-store', signal });
      if (status !== 200) throw new Error(`HTTP ${status}`);
      return status;
    },
    retry: true,
    retryDelay: ASK_MS,
    gcTime: 0,
  });
  useEffect(() => {
    if (!isThere || tried) return;
    sessionStorage.setItem(RELOADED, String(Date.now()));
    location.reload();
  }, [isThere, tried]);
  return (
    <Result
      status="warning"
      title={t('state.pageMissing')}
      subTitle={t(tried ? 'state.pageMissingStill' : 'state.pageMissingHint')}
      extra={<Button onClick={() => location.reload()}>{t('action.reload')}</Button>}
    />
  );
}

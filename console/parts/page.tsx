import { LockOutlined, QuestionCircleOutlined, ReloadOutlined } from '@ant-design/icons';
import { Button, Empty, Result, Skeleton } from 'antd';
import { type ReactNode, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { ApiError } from '../api/mod.ts';
import { faultText } from './fault_text.ts';

/** A page: its name for the window and for people, what stands beside the name, and the rest. */
export function Page({
  title,
  shown,
  beside,
  back,
  fill = false,
  children,
}: {
  title: string;
  /** What is drawn instead of the plain title. */
  shown?: ReactNode;
  beside?: ReactNode;
  back?: { to: string; label: string } | undefined;
  /** It fills the window and scrolls inside. */
  fill?: boolean;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  useEffect(() => {
    document.title = `${title} · ${t('app.name')}`;
  }, [title, t]);
  return (
    <main id="content" className={fill ? 'page fill' : 'page'} tabIndex={-1}>
      <header className="page-head">
        <div className="page-title">
          {back && (
            <Link className="back" to={back.to}>
              ‹ {back.label}
            </Link>
          )}
          <h1>{shown ?? title}</h1>
        </div>
        {beside && <div className="page-beside">{beside}</div>}
      </header>
      {children}
    </main>
  );
}

export function Nothing({ text }: { text: string }) {
  return <Empty className="nothing" image={Empty.PRESENTED_IMAGE_SIMPLE} description={text} />;
}

export function Waiting({ rows = 6 }: { rows?: number }) {
  const { t } = useTranslation();
  return (
    <div className="waiting" role="status" aria-label={t('app.loading')}>
      <Skeleton active title={false} paragraph={{ rows }} />
    </div>
  );
}

/** Why there is nothing to see, and what can be done. */
export function Failure({ error, again }: { error: Error; again?: () => unknown }) {
  const { t } = useTranslation();
  const refusal = error instanceof ApiError ? error : null;
  if (refusal?.status === 404)
    return <Result icon={<QuestionCircleOutlined />} title={t('state.notFound')} subTitle={t('state.notFoundHint')} />;
  if (refusal?.status === 403)
    return <Result icon={<LockOutlined />} title={t('state.forbidden')} subTitle={faultText(refusal)} />;
  return (
    <Result
      status="warning"
      title={refusal === null ? t('state.offline') : t('state.error')}
      subTitle={refusal === null ? t('state.errorHint') : `${refusal.code}: ${faultText(refusal)}`}
      extra={
        again && (
          <Button icon={<ReloadOutlined />} onClick={() => void again()}>
            {t('action.retry')}
          </Button>
        )
      }
    />
  );
}

interface Asked<T> {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
}

/** The four faces of an answer: on its way, failed, there; failed and still there from before counts as there. */
export function Shown<T>({ of, children, rows }: { of: Asked<T>; children: (data: T) => ReactNode; rows?: number }) {
  if (of.data !== undefined) return <>{children(of.data)}</>;
  if (of.error !== null) return <Failure error={of.error} again={of.refetch} />;
  return <Waiting {...(rows === undefined ? {} : { rows })} />;
}

/** Name and value, in two columns that become one. */
export function Facts({ rows }: { rows: readonly (readonly [label: string, value: ReactNode] | null)[] }) {
  return (
    <dl className="facts">
      {rows.map(
        (row) =>
          row !== null && (
            <div key={row[0]}>
              <dt>{row[0]}</dt>
              <dd>{row[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

export function Panel({
  title,
  beside,
  children,
  className = '',
}: {
  title: ReactNode;
  beside?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`panel ${className}`}>
      <div className="panel-head">
        <h2>{title}</h2>
        {beside}
      </div>
      {children}
    </section>
  );
}

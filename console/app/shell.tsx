import {
  AlertOutlined,
  ApiOutlined,
  AppstoreOutlined,
  BellOutlined,
  DeploymentUnitOutlined,
  EnvironmentOutlined,
  FileTextOutlined,
  TeamOutlined,
  UserOutlined,
  VideoCameraOutlined,
} from '@ant-design/icons';
import { Dropdown, type MenuProps, Tooltip } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, useNavigate } from 'react-router';
import { useLink, useMay, useMe, useSigning } from '../api/mod.ts';
import { LANGUAGES, type Language, setLanguage } from '../i18n/mod.ts';
import { lengthText, useNow } from '../parts/mod.ts';
import { type Choice, useScheme } from './theme.tsx';

const PLACES = [
  { to: '/', name: 'situation', icon: <EnvironmentOutlined /> },
  { to: '/events', name: 'events', icon: <AlertOutlined /> },
  { to: '/cases', name: 'cases', icon: <FileTextOutlined /> },
  { to: '/devices', name: 'devices', icon: <AppstoreOutlined /> },
  { to: '/cameras', name: 'cameras', icon: <VideoCameraOutlined /> },
  { to: '/pipeline', name: 'pipeline', icon: <DeploymentUnitOutlined /> },
  { to: '/notify', name: 'notify', icon: <BellOutlined /> },
] as const;

/** What stands around every page: where one is, where one may go, whether news comes in, who one is. */
export function Shell({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const { administer } = useMay();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t('app.skip')}
      </a>
      <nav className="nav" aria-label={t('app.name')}>
        <NavLink className="brand" to="/" aria-label={t('app.name')}>
          <img src="/favicon.svg" alt="" width="26" height="26" />
          <b>{t('app.name')}</b>
        </NavLink>
        <ul>
          {PLACES.map(({ to, name, icon }) => (
            <li key={to}>
              <NavLink to={to} end={to === '/'}>
                {icon}
                <span>{t(`nav.${name}`)}</span>
              </NavLink>
            </li>
          ))}
          {administer && (
            <li className="roomy">
              <NavLink to="/users">
                <TeamOutlined />
                <span>{t('nav.users')}</span>
              </NavLink>
            </li>
          )}
        </ul>
        <div className="nav-foot">
          <LiveSign />
          <Me />
        </div>
      </nav>
      <div className="stage">
        <Away />
        <div className="stage-page">{children}</div>
      </div>
    </div>
  );
}

/** A stream that is back within this time is not worth a word. */
const AWAY_MS_MIN = 3_000;

/** While no news comes in: how old what is shown is. */
function Away() {
  const { lostAt, heardAt } = useLink();
  return lostAt === null ? null : <AwayFor lostAt={lostAt} heardAt={heardAt} />;
}

function AwayFor({ lostAt, heardAt }: { lostAt: number; heardAt: number }) {
  const { t } = useTranslation();
  const now = useNow();
  if (now - lostAt < AWAY_MS_MIN) return null;
  return (
    <p className="away">
      <i aria-hidden="true">✕</i>
      <span role="alert">{t('live.off')}</span>
      {/* Not told again each second. */}
      <b>{t('state.stale', { age: lengthText(t, now - heardAt) })}</b>
    </p>
  );
}

function LiveSign() {
  const { t } = useTranslation();
  const connected = useLink().lostAt === null;
  return (
    <Tooltip title={connected ? undefined : t('state.offline')} placement="right">
      <span className={connected ? 'live' : 'live lost'}>
        <i aria-hidden="true">{connected ? '●' : '✕'}</i>
        <span>{t(connected ? 'live.on' : 'live.off')}</span>
      </span>
    </Tooltip>
  );
}

function Me() {
  const { t, i18n } = useTranslation();
  const { name } = useMe();
  const { administer } = useMay();
  const { choice, choose } = useScheme();
  const { signOut } = useSigning();
  const navigate = useNavigate();
  const items: MenuProps['items'] = [
    { key: 'account', icon: <UserOutlined />, label: t('nav.account'), onClick: () => void navigate('/account') },
    ...(administer
      ? [{ key: 'users', icon: <TeamOutlined />, label: t('nav.users'), onClick: () => void navigate('/users') }]
      : []),
    { key: 'docs', icon: <ApiOutlined />, label: <a href="/docs">{t('nav.docs')}</a> },
    {
      type: 'group',
      key: 'language',
      label: t('language.label'),
      children: Object.entries(LANGUAGES).map(([key, label]) => ({
        key,
        label: `${i18n.language === key ? '✓ ' : ''}${label}`,
        onClick: () => void setLanguage(key as Language),
      })),
    },
    {
      type: 'group',
      key: 'theme',
      label: t('theme.label'),
      children: (['light', 'dark', 'system'] as const satisfies readonly Choice[]).map((key) => ({
        key,
        label: `${choice === key ? '✓ ' : ''}${t(`theme.${key}`)}`,
        onClick: () => choose(key),
      })),
    },
    { type: 'divider' },
    { key: 'out', label: t('session.out'), onClick: () => void signOut(false) },
  ];
  return (
    <Dropdown menu={{ items }} trigger={['click']} placement="topRight">
      <button type="button" className="me" aria-label={`${t('nav.account')}: ${name}`}>
        <UserOutlined />
        <span>{name}</span>
      </button>
    </Dropdown>
  );
}

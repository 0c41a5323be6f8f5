import { App, ConfigProvider, theme } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import { createContext, type ReactNode, useContext, useEffect, useLayoutEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { nonce } from './nonce.ts';

/** What is chosen, and what that comes to. */
export type Choice = 'light' | 'dark' | 'system';
export type Scheme = 'light' | 'dark';
const STORED = 'gewu.theme';
const DARK = '(prefers-color-scheme: dark)';

interface Themes {
  choice: Choice;
  scheme: Scheme;
  choose(choice: Choice): void;
}
const Context = createContext<Themes>({ choice: 'system', scheme: 'light', choose: () => undefined });
export const useScheme = () => useContext(Context);

const stored = (): Choice => {
  const text = localStorage.getItem(STORED);
  return text === 'light' || text === 'dark' ? text : 'system';
};

const FONT =
  "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', 'WenQuanYi Zen Hei', sans-serif";
/** Ant Design's own reds and greys are too pale for small text (WCAG 2 AA, 4.5:1). */
const COLOURS = {
  light: { colorPrimary: '#0f766e', colorLink: '#0f766e', colorError: '#b42318', colorTextDescription: '#5a6a73' },
  dark: { colorPrimary: '#2dd4bf', colorLink: '#2dd4bf', colorError: '#ff8a80', colorTextDescription: '#9fb0b7' },
} as const;
/** Text on a button of the primary colour. */
const ON_PRIMARY: Record<Scheme, string> = { light: '#ffffff', dark: '#04201d' };

/** Light and dark, and Ant Design in the language of the page. */
export function Themed({ children }: { children: ReactNode }) {
  const { i18n } = useTranslation();
  const [choice, setChoice] = useState(stored);
  const [systemDark, setSystemDark] = useState(() => matchMedia(DARK).matches);
  const scheme: Scheme = choice === 'system' ? (systemDark ? 'dark' : 'light') : choice;
  useEffect(() => {
    const media = matchMedia(DARK);
    const follow = () => setSystemDark(media.matches);
    media.addEventListener('change', follow);
    return () => media.removeEventListener('change', follow);
  }, []);
  // Before the effects of what is inside: charts take their colours from it.
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = scheme;
  }, [scheme]);
  const themes = useMemo(
    () => ({
      choice,
      scheme,
      choose: (next: Choice) => {
        localStorage.setItem(STORED, next);
        setChoice(next);
      },
    }),
    [choice, scheme],
  );
  return (
    <Context value={themes}>
      <ConfigProvider
        csp={{ nonce }}
        locale={i18n.language.startsWith('zh') ? zhCN : enUS}
        theme={{
          algorithm: scheme === 'dark' ? theme.darkAlgorithm : theme.defaultAlgorithm,
          token: { ...COLOURS[scheme], borderRadius: 6, fontFamily: FONT, motion: false },
          components: { Button: { primaryColor: ON_PRIMARY[scheme] } },
        }}
      >
        <App component={false}>{children}</App>
      </ConfigProvider>
    </Context>
  );
}

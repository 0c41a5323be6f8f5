import { beforeAll, expect, test } from 'vitest';
import { type City, MINUTE, type Page, picture, seriousIn, settled } from './fixture.ts';

interface Look {
  name: string;
  colorScheme: 'light' | 'dark';
  width: 1440 | 390;
}
const WIDE = {
  light: { name: 'light', colorScheme: 'light', width: 1440 },
  dark: { name: 'dark', colorScheme: 'dark', width: 1440 },
} as const;
const NARROW = {
  light: { name: 'narrow', colorScheme: 'light', width: 390 },
  dark: { name: 'narrow-dark', colorScheme: 'dark', width: 390 },
} as const;

/** By the name of its picture, the address of each page. */
export type Pages = Readonly<Record<string, string>>;

/** Pages as they look: in both languages, light and dark, wide and narrow. The pictures stay in .gewu/screens. `written`: what people wrote stays as it is. */
export function looksSuite(cityOf: () => City, pagesOf: (city: City) => Promise<Pages>, written: readonly string[] = []): void {
  let city: City;
  beforeAll(() => {
    city = cityOf();
  });

  /** Each language has two of the four looks. */
  test.each([
    ['zh-CN', 'zh', [WIDE.light, NARROW.dark]],
    ['en', 'en', [WIDE.dark, NARROW.light]],
  ] as const)(
    'every page is accessible, fits and is in one language: %s',
    { timeout: 4 * MINUTE },
    async (locale, language, looks) => {
      const page = await city.signIn('administrator', { locale });
      const wrong: string[] = [];
      for (const [of, path] of Object.entries(await pagesOf(city))) {
        await city.go(page, path);
        for (const look of looks) {
          await wear(page, look);
          await picture(page, `${of}-${language}-${look.name}`);
          // In the dark only colours are others; each width is looked at by all rules in one language.
          const rules = look.colorScheme === 'light' ? 'all' : 'colours';
          const found = [...(await seriousIn(page, rules)), ...(await wrongWith(page, language, written))];
          wrong.push(...found.map((what) => `${of} ${language} ${look.name}: ${what}`));
        }
      }
      expect(wrong).toEqual([]);
      await page.close();
    },
  );
}

async function wear(page: Page, { colorScheme, width }: Look): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
  await page.locator(`html[data-theme="${colorScheme}"]`).waitFor();
  await settled(page);
}

async function wrongWith(page: Page, language: 'zh' | 'en', written: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  if (!(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))) wrong.push('wider than the window');
  const text = (await page.locator('main').textContent()) ?? '';
  // A language is named in itself.
  const own = ['简体中文', ...written].reduce((rest, words) => rest.replaceAll(words, ''), text);
  const han = language === 'en' ? /[\u4e00-\u9fff]+/.exec(own) : null;
  return han === null ? wrong : [...wrong, `not translated: ${han[0]}`];
}

import type { ApiClient } from '#simulators/target/mod.ts';

/** Who works in the demo's city besides its administrator: both sides of the case cycle, and one who only looks. */
const PEOPLE = [
  { who: 'supervision officer', name: 'supervision', roles: ['viewer', 'supervision'] },
  { who: 'command officer', name: 'command', roles: ['viewer', 'command'] },
  { who: 'viewer', name: 'viewer', roles: ['viewer'] },
] as const;

/** Makes them, and a link for one sign-in of each; the administrator's stands first. */
export async function demoPeople(api: ApiClient, administrator: string): Promise<{ who: string; link: string }[]> {
  for (const { name, roles } of PEOPLE) await api.post('/api/v1/users', { name, roles });
  const all = [{ who: 'console', name: administrator }, ...PEOPLE];
  return Promise.all(
    all.map(async ({ who, name }) => {
      const { code } = await api.post<{ code: string }>(`/api/v1/users/${name}/sign-in-link`);
      return { who, link: `${api.url}/sign-in#once=${code}` };
    }),
  );
}

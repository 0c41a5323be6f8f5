const PLACEHOLDER_EXPRESSION = /^\{([A-Za-z][A-Za-z0-9_]{0,63})\}$/;

/** Matches topics; its groups are the placeholders. Null when the pattern is none. */
export function topicExpression(pattern: string): RegExp | null {
  const names = new Set<string>();
  const levels: string[] = [];
  for (const level of pattern.split('/')) {
    const name = PLACEHOLDER_EXPRESSION.exec(level)?.[1];
    if ((name === undefined && /[{}]/.test(level)) || (name !== undefined && names.has(name))) return null;
    if (name !== undefined) names.add(name);
    levels.push(name === undefined ? level.replace(/[.*+?^$()|[\]\\]/g, '\\$&') : `(?<${name}>[^/]{1,128})`);
  }
  return new RegExp(`^${levels.join('/')}$`);
}

/** Whether every topic of `other` is one of `pattern` too. Both are patterns. */
export function topicCovers(pattern: string, other: string): boolean {
  const [levels, others] = [pattern.split('/'), other.split('/')];
  const covered = (level: string, i: number) => PLACEHOLDER_EXPRESSION.test(level) || level === others[i];
  return levels.length === others.length && levels.every(covered);
}

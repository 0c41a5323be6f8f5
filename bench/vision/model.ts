import { join } from 'node:path';

export const SHIPPED_MODEL = join(import.meta.dirname, '../../models/street-drawn');

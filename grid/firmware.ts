import { Type } from 'typebox';

/** As the maker writes it, `1.4.2-rc1`; printable, because it stands in lists and addresses. */
export const FIRMWARE_PATTERN = '^[!-~]([ -~]{0,62}[!-~])?$';
export const Firmware = Type.String({ pattern: FIRMWARE_PATTERN });

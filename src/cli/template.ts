import { readFileSync } from 'node:fs';

const TEMPLATE = new URL('../../templates/frr.conf.hbs', import.meta.url);

/** The template of frr.conf that comes with this release. */
export function readTemplate(): string {
  return readFileSync(TEMPLATE, 'utf8');
}

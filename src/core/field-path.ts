import { quote } from './quote.ts';

/** Where in an object: keys and list indexes from its root, for example `['spec', 'addresses', 0]`. */
export type FieldPath = readonly (string | number)[];

/** The text of a path as it stands in a Problem: `spec.addresses[0]`, `metadata.annotations["example.com/x"]`. */
export function formatFieldPath(path: FieldPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${String(part)}]`;
    else if (!/^[A-Za-z_][\w-]*$/.test(part)) text += `[${quote(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

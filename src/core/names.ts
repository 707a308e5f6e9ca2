/**
 * The grammars of names. Each function gives what would be right when the text is wrong, and undefined when it is
 * fine, so that a caller can put the object, the field and the value in front of it.
 */

const DNS_LABEL = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Name of a Kubernetes object: a DNS subdomain (RFC 1123) of at most 253 characters. */
export function objectNameFault(name: string): string | undefined {
  return name.length <= 253 && DNS_SUBDOMAIN.test(name)
    ? undefined
    : 'must be lower-case letters, digits, "-" and ".", begin and end with a letter or digit, and have at most 253 characters';
}

/** Name of a Namespace: a DNS label (RFC 1123) of at most 63 characters. */
export function namespaceNameFault(name: string): string | undefined {
  return name.length <= 63 && DNS_LABEL.test(name)
    ? undefined
    : 'must be lower-case letters, digits and "-", begin and end with a letter or digit, and have at most 63 characters';
}

/** Key of a Kubernetes label: `name`, or `dns.subdomain/name`. */
export function labelKeyFault(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash === -1 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && objectNameFault(prefix) !== undefined) {
    return 'the part before "/" must be a DNS subdomain, such as "example.com/role"';
  }
  return isQualifiedName(name)
    ? undefined
    : 'a label key must be 1 to 63 letters, digits, "-", "_" and ".", and begin and end with a letter or digit';
}

export function labelValueFault(value: string): string | undefined {
  return value === '' || isQualifiedName(value)
    ? undefined
    : 'a label value must be at most 63 letters, digits, "-", "_" and ".", and begin and end with a letter or digit';
}

function isQualifiedName(text: string): boolean {
  return text.length <= 63 && QUALIFIED_NAME.test(text);
}

/**
 * Name of a Linux interface or VRF device that is written into frr.conf. Linux allows almost any byte (dev_valid_name
 * in net/core/dev.c: 1 to 15 bytes, no "/", ":" or white space, not "." or ".."); quotes, "!", "?" and the like mean
 * something to a vty or to a shell, so names with them are refused here.
 */
export function linkNameFault(name: string): string | undefined {
  return /^[A-Za-z0-9._@+-]{1,15}$/.test(name) && name !== '.' && name !== '..'
    ? undefined
    : 'must be a Linux interface name: 1 to 15 letters, digits and "._-+@"';
}

/** True for any name that a Linux interface can have at all; for names that are only compared. */
export function isPossibleLinkName(name: string): boolean {
  return (
    name !== '.' && name !== '..' && name !== '' && Buffer.byteLength(name) <= 15 && !/[/:\s\0]/.test(name)
  );
}

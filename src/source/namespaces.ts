/** Where kubectl puts an object whose manifest names no namespace. */
export const DEFAULT_NAMESPACE = 'default';

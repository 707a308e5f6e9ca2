/**
 * Gives the function that keeps the first of all values that are written the same, so that ten thousand equal ones are one
 * object in memory.
 * @param most how many different ones are known; with more than these it begins anew
 */
export function createInterning<T extends object>(most: number): (text: string, make: () => T) => T {
  const known = new Map<string, T>();
  return (text, make) => {
    const before = known.get(text);
    if (before) return before;
    if (known.size >= most) known.clear();
    const value = make();
    known.set(text, value);
    return value;
  };
}

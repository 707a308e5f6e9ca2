/** A binary min-heap of distinct numbers: push and pop cost O(log n). */
export interface NumberHeap {
  readonly items: number[];
  readonly members: Set<number>;
}

export function createHeap(): NumberHeap {
  return { items: [], members: new Set() };
}

export function heapMin(heap: NumberHeap): number | undefined {
  return heap.items[0];
}

/** Adds `value`; a value already there is not added again. */
export function heapPush(heap: NumberHeap, value: number): void {
  if (heap.members.has(value)) return;
  heap.members.add(value);
  const items = heap.items;
  let at = items.length;
  items.push(value);
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = items[parent];
    if (above === undefined || above <= value) break;
    items[at] = above;
    items[parent] = value;
    at = parent;
  }
}

/** Removes and returns the smallest number. */
export function heapPop(heap: NumberHeap): number | undefined {
  const items = heap.items;
  const min = items[0];
  const last = items.pop();
  if (min === undefined || last === undefined) return undefined;
  heap.members.delete(min);
  if (items.length === 0) return min;
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    const leftItem = items[left];
    if (leftItem === undefined) break;
    const rightItem = items[left + 1];
    const [child, childItem] =
      rightItem !== undefined && rightItem < leftItem ? [left + 1, rightItem] : [left, leftItem];
    if (childItem >= last) break;
    items[at] = childItem;
    at = child;
  }
  items[at] = last;
  return min;
}

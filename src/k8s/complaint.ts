/** A complaint that stays the same is said again after this time. */
const REMIND_MS = 60_000;

/** Gives what tells whether a complaint is worth saying: it is another one than the last, or that was long ago. */
export function createComplaint(): { readonly isNews: (text: string) => boolean } {
  let last = { text: '', at: -Infinity };
  return {
    isNews: (text) => {
      const now = performance.now();
      if (text === last.text && now <= last.at + REMIND_MS) return false;
      last = { text, at: now };
      return true;
    },
  };
}

// Stands in for zod's translations in the bundle: messages are in English, and that one zod imports by itself.
export {};

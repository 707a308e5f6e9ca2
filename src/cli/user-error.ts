/** Something that the user can put right: the message says what was wrong and what would be right. No stack is printed. */
export class UserError extends Error {
  override readonly name = 'UserError';
}

/**
 * What the warning says.
 *
 * @module
 */

/** Texts of the warning before a session ends. */
export interface SessionTexts {
  /** The heading, which is the name of the dialog. */
  readonly title: string
  /** The heading where nothing puts the end off. */
  readonly lastTitle: string
  /** Why, and how long is left. `time` is minutes and seconds, such as `1:05`. */
  readonly message: (time: string) => string
  /** The same where nothing puts the end off: the session has reached its longest life. */
  readonly lastMessage: (time: string) => string
  /** What a screen reader says, twice: when 30 and when 10 seconds are left. */
  readonly secondsLeft: (seconds: number) => string
  /** Shown while the server does not answer. */
  readonly unreachable: string
  /** The button that puts the end off. */
  readonly stay: string
  /** The button that ends the session now. */
  readonly signOut: string
  /** The button that hides the warning where nothing puts the end off. */
  readonly close: string
}

/** The texts in English. */
export const englishTexts: SessionTexts = {
  title: 'Are you still there?',
  lastTitle: 'Your session is about to end',
  message: (time) =>
    `You have not used this page for a while. To protect your account, you will be signed out in ${time}.`,
  lastMessage: (time) =>
    `You have been signed in for as long as is allowed. Save your work: you will be signed out in ${time}.`,
  secondsLeft: (seconds) => `${seconds} seconds left.`,
  unreachable: 'The server cannot be reached. Trying again.',
  stay: 'Stay signed in',
  signOut: 'Sign out',
  close: 'Close',
}

/**
 * The texts of the warning before a session ends, by language.
 *
 * @module
 */

/** Texts of the warning before a session ends. */
export interface SessionTexts {
  /** The heading, which is the name of the dialog. */
  readonly title: string
  /** The heading where nothing postpones the end. */
  readonly lastTitle: string
  /** Why, and how long is left. `time` is minutes and seconds, such as `1:05`. */
  readonly message: (time: string) => string
  /** The same where nothing postpones the end: the session has reached its longest life. */
  readonly lastMessage: (time: string) => string
  /** What a screen reader says, twice: when 30 and when 10 seconds are left. */
  readonly secondsLeft: (seconds: number) => string
  /** Shown while the server does not answer. */
  readonly unreachable: string
  /** The button that postpones the end. */
  readonly stay: string
  /** The button that ends the session now. */
  readonly signOut: string
  /** The button that hides the warning where nothing postpones the end. */
  readonly close: string
}

const english: SessionTexts = {
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

const german: SessionTexts = {
  title: 'Sind Sie noch da?',
  lastTitle: 'Ihre Sitzung endet gleich',
  message: (time) =>
    `Sie haben diese Seite eine Weile nicht benutzt. Zum Schutz Ihres Kontos werden Sie in ${time} Minuten abgemeldet.`,
  lastMessage: (time) =>
    `Sie sind so lange angemeldet, wie es erlaubt ist. Speichern Sie Ihre Arbeit: Sie werden in ${time} Minuten abgemeldet.`,
  secondsLeft: (seconds) => `Noch ${seconds} Sekunden.`,
  unreachable: 'Der Server ist nicht erreichbar. Es wird erneut versucht.',
  stay: 'Angemeldet bleiben',
  signOut: 'Abmelden',
  close: 'Schließen',
}

/** The texts for a page in a language (BCP 47), and the language that they are in: English where there are none in that of the page. */
export function sessionTextsFor(pageLanguage: string): { readonly language: string; readonly texts: SessionTexts } {
  const isGerman = /^de(?:-|$)/i.test(pageLanguage)
  return isGerman ? { language: 'de', texts: german } : { language: 'en', texts: english }
}

/**
 * The texts of the built-in pages: what each language has to say, and how one is found.
 *
 * @module
 */

import type { HttpErrorCode } from '../../core/errors.js'
import type { Language } from '../../core/languages.js'
import { german } from './de.js'
import { english } from './en.js'

/** What a page that asks for a code says. */
interface CodeQuestion {
  readonly text: string
  readonly label: string
}

/** The texts of one language. Each is plain text, which a page escapes. */
export interface Texts {
  /** Before the address of `support`. */
  readonly help: string
  /** What the titles of pages with a refused attempt begin with. */
  readonly notSignedIn: string
  readonly signIn: {
    readonly heading: string
    readonly prompt: string
    readonly userName: string
    readonly password: string
    readonly button: string
    /** Between the form and the identity providers. */
    readonly or: string
    readonly at: (provider: string) => string
    /** The same, where the account that is signed in there was refused. */
    readonly atAsAnother: (provider: string) => string
  }
  readonly signOut: {
    readonly heading: string
    readonly question: string
    readonly button: string
  }
  readonly secondFactor: {
    readonly heading: string
    readonly code: CodeQuestion
    readonly invitation: CodeQuestion
    readonly setup: CodeQuestion
    /** What a screen reader says of the picture. */
    readonly qrCode: string
    /** Before the seed. */
    readonly key: string
    readonly button: string
    readonly startAgain: string
  }
  readonly recoveryCodes: {
    readonly heading: string
    readonly title: string
    readonly text: string
    readonly proceed: string
  }
  readonly refusal: {
    /** Headings by status. */
    readonly headings: Readonly<Record<number, string>>
    /** The heading of any other status, below 500 and from 500 on. */
    readonly failed: string
    readonly broken: string
    readonly address: (address: string) => string
    readonly unknownAddress: string
    readonly reference: (reference: string) => string
    readonly signInAsAnother: string
  }
  /** Pages of the authorization server, which signs in for all portals. */
  readonly oauth: {
    readonly failed: string
    readonly goBack: string
    readonly signInEnded: string
    readonly signedOut: string
    readonly signedOutOfAll: string
    readonly signOutQuestion: string
    readonly signsOutOfAll: string
    readonly signOut: string
    readonly staySignedIn: string
  }
  /** Why a form is shown again, or at all. */
  readonly messages: {
    readonly signedOut: string
    readonly sessionEnded: string
    readonly noCookie: string
    readonly wrongCode: string
    readonly tookTooLong: string
    readonly noSecondFactor: string
    readonly notEndedOnServer: string
    readonly providerUnavailable: (provider: string) => string
    readonly providerUntrusted: (provider: string) => string
    readonly noAccess: (provider: string) => string
    readonly signInCancelled: (provider: string) => string
    readonly notSignedIn: (provider: string) => string
  }
  /** The sentence of a refusal that {@link tryAgainIn} takes the place of, where the time to wait is known. */
  readonly tryAgainLater: string
  readonly tryAgainIn: (seconds: number) => string
  /** What a page says of a refusal, by its code. Without an entry it shows the message of the refusal, which is in English. */
  readonly refusals: Readonly<Partial<Record<HttpErrorCode, string>>>
}

const tables: Readonly<Record<Language, Texts>> = { en: english, de: german }

/** The texts of a language. */
export function textsIn(language: Language): Texts {
  return tables[language]
}

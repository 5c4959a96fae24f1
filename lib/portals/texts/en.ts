/**
 * The texts of the built-in pages in English.
 *
 * @module
 */

import type { Texts } from './texts.js'

export const english: Texts = {
  help: 'Help:',
  notSignedIn: 'Not signed in',
  signIn: {
    heading: 'Sign in',
    prompt: 'Sign in to continue.',
    userName: 'User name',
    password: 'Password',
    button: 'Sign in',
    or: 'or',
    at: (provider) => `Sign in with ${provider}`,
    atAsAnother: (provider) => `Sign in with ${provider} as somebody else`,
  },
  signOut: {
    heading: 'Sign out',
    question: 'Do you want to sign out?',
    button: 'Sign out',
  },
  secondFactor: {
    heading: 'Second factor',
    code: { text: 'Enter the code of your authenticator app, or one of your recovery codes.', label: 'Code' },
    invitation: {
      text: 'This account needs a second factor. Enter the setup code that an administrator has given you.',
      label: 'Setup code',
    },
    setup: {
      text: 'Scan this with an authenticator app, or type the key. Then enter the code that the app shows.',
      label: 'Code of the app',
    },
    qrCode: 'QR code of the key',
    key: 'Key:',
    button: 'Continue',
    startAgain: 'Start again',
  },
  recoveryCodes: {
    heading: 'Keep your recovery codes',
    title: 'Recovery codes',
    text: 'Each of them stands for the authenticator app once, if you lose it. They are not shown again.',
    proceed: 'Continue',
  },
  refusal: {
    headings: {
      403: 'No access',
      404: 'Not found',
      405: 'This did not work',
      429: 'Too many attempts',
      503: 'Not available right now',
    },
    failed: 'This did not work',
    broken: 'Something went wrong',
    unknownAddress: 'unknown',
    address: (address) => `Your address: ${address}`,
    reference: (reference) => `Reference: ${reference}`,
    signInAsAnother: 'Sign in as somebody else',
  },
  oauth: {
    failed: 'This did not work',
    goBack: 'Go back to where you came from, and try again.',
    signInEnded: 'This sign-in has ended. Go back to where you came from, and try again.',
    signedOut: 'Signed out',
    signedOutOfAll: 'You are signed out of all portals.',
    signOutQuestion: 'Sign out?',
    signsOutOfAll: 'This signs you out of all portals.',
    signOut: 'Sign out',
    staySignedIn: 'Stay signed in',
  },
  messages: {
    signedOut: 'You are signed out.',
    sessionEnded: 'Your session has ended. Sign in again.',
    noCookie:
      'Your browser did not keep the cookie of this site, so you are not signed in. Allow cookies for this site; on this machine, ' +
      'open it with https.',
    wrongCode: 'That code is not right. Enter the present one; each code counts once.',
    tookTooLong: 'That took too long, or began in another window. Sign in again.',
    noSecondFactor: 'This account needs a second factor, which it does not have yet. Ask an administrator.',
    notEndedOnServer:
      'You are signed out of this browser, but the session could not be ended on the server. It ends by itself when ' +
      'nobody uses it.',
    providerUnavailable: (provider) => `${provider} cannot be reached right now. Try again later.`,
    providerUntrusted: (provider) =>
      `The answer of ${provider} cannot be used. Try again; if that does not help, tell the people who run this site.`,
    noAccess: (provider) =>
      `You are signed in at ${provider}, but your account has no access here. Ask for it, then sign in again; or sign in as somebody else.`,
    signInCancelled: (provider) =>
      `The sign-in at ${provider} was cancelled, or you may not use this application. Try again, or ask for access.`,
    notSignedIn: (provider) =>
      `${provider} did not sign you in. Try again; if that does not help, tell the people who run this site.`,
  },
  tryAgainLater: 'Try again later.',
  tryAgainIn(seconds) {
    const [count, unit] = seconds < 60 ? [seconds, 'second'] : [Math.ceil(seconds / 60), 'minute']
    return `Try again in ${count} ${unit}${count === 1 ? '' : 's'}.`
  },
  // The message of any other refusal is good for people, too.
  refusals: {
    ERR_CROSS_SITE: 'The request did not come from a page of this site. Open the page again and try once more.',
    ERR_HTTPS_REQUIRED: 'Passwords are accepted over HTTPS only. Open this page with https.',
    ERR_METHOD_NOT_ALLOWED: 'This address cannot be opened in this way.',
    ERR_AUTH_SEVERAL_CREDENTIALS: 'Delete the cookies of this site and sign in again.',
    ERR_TRUST_PROXY_UNSAFE: 'The server is not set up safely. Its operator can find the reason in the log.',
  },
}

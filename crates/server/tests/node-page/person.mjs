// The person before the screen, who has a phone and a mailbox: the test that started this process. A question goes out
// as one line on standard output, its answer comes back as one line on standard input.

import { createInterface } from 'node:readline';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function ask(...question) {
  console.log(question.join(' '));
  const { value, done } = await answers.next();
  if (done) throw new Error(`nobody answered: ${question[0]}`);
  return value;
}

/** Scans a QR code with the app of this name. */
export const scan = (app, qrCode) => ask('scan', app, qrCode);

/** That app's next code. */
export const appCode = (app) => ask('app', app);

/** The code in the newest mail. */
export const mailedCode = () => ask('mail');

/** The code in the newest message to the phone. */
export const textedCode = () => ask('text');

/** By what that message came. */
export const textedBy = () => ask('text-by');

/** The service that knows the user reports another address. */
export const moves = (address) => ask('moves', address);

/** Tells the test how far it is. */
export const say = (text) => console.log(`# ${text}`);

/** Done: nothing more is asked. */
export function leave() {
  console.log('done');
  process.stdin.destroy();
}

// Drives the unmodified @frontegg/rest-api through every function of its that asks for something of MFA, in the order in
// which its login box and its account pages call them, and looks at what came of each: node drive.mjs URL

import { answered } from './client.mjs';
import { leave, say } from './person.mjs';

for (const topic of ['authenticator', 'email', 'sms', 'webauthn', 'step-up', 'policy', 'self-service']) {
  say(topic);
  const { default: drive } = await import(`./topics/${topic}.mjs`);
  await drive();
}
leave([...answered]);

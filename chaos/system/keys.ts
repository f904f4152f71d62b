/** Of the gateway under test. */
export const keys = {
  secret: 'sb_secret_of_the_kill_matrix',
  publishable: 'sb_publishable_of_the_kill_matrix',
  jwtSecret: 'a secret of more than thirty-two characters',
};

export const signingKey = 'signkey-prod-0123456789abcdef0123456789abcdef';

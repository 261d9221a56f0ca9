-- The private schema of the application.

create schema mobilegpt;
comment on schema mobilegpt is 'Tables and functions of the application mobilegpt. Not exposed.';

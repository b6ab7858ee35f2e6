#!/bin/sh
# Creates the role and the database of JamJet. The role is no superuser, because row-level security does not apply to superusers.
set -eu
psql --username "${POSTGRES_USER:-postgres}" --dbname postgres --set=ON_ERROR_STOP=1 --set=password="$JAMJET_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE jamjet LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE jamjet OWNER jamjet;
SQL

-- Tenants that are not active: few, looked up whenever a tenant is changed, since nothing of theirs may begin.
CREATE INDEX tenants_inactive ON tenants (id) WHERE status <> 'active';

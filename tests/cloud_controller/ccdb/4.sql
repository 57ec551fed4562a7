BEGIN TRANSACTION;
CREATE TABLE apps (
	name VARCHAR COLLATE "NOCASE" NOT NULL, 
	space_guid VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	buildpacks JSON NOT NULL, 
	stack VARCHAR NOT NULL, 
	environment JSON NOT NULL, 
	droplet_guid VARCHAR, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (space_guid, name), 
	FOREIGN KEY(space_guid) REFERENCES spaces (guid) ON DELETE CASCADE
);
INSERT INTO "apps" VALUES('music','guid-2','STARTED','[]','cflinuxfs4','{"A": "1"}','guid-6','{"tier": "music"}','{}','guid-4',1700000000.0,1700000000.0);
INSERT INTO "apps" VALUES('video','guid-2','STARTED','[]','cflinuxfs4','{"A": "1"}','guid-15','{"tier": "video"}','{}','guid-13',1700000000.0,1700000000.0);
CREATE TABLE audit_events (
	type VARCHAR NOT NULL, 
	actor_guid VARCHAR NOT NULL, 
	actor_name VARCHAR NOT NULL, 
	target_guid VARCHAR NOT NULL, 
	target_type VARCHAR NOT NULL, 
	target_name VARCHAR NOT NULL, 
	space_guid VARCHAR, 
	organization_guid VARCHAR, 
	data JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid)
);
CREATE TABLE builds (
	app_guid VARCHAR NOT NULL, 
	package_guid VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	error VARCHAR, 
	droplet_guid VARCHAR NOT NULL, 
	buildpacks JSON NOT NULL, 
	created_by VARCHAR NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	FOREIGN KEY(app_guid) REFERENCES apps (guid) ON DELETE CASCADE, 
	FOREIGN KEY(package_guid) REFERENCES packages (guid) ON DELETE CASCADE, 
	UNIQUE (droplet_guid)
);
CREATE TABLE credential_bindings (
	name VARCHAR, 
	app_guid VARCHAR, 
	service_instance_guid VARCHAR NOT NULL, 
	given JSON NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (app_guid, service_instance_guid), 
	FOREIGN KEY(app_guid) REFERENCES apps (guid) ON DELETE CASCADE, 
	FOREIGN KEY(service_instance_guid) REFERENCES service_instances (guid) ON DELETE CASCADE
);
INSERT INTO "credential_bindings" VALUES('b','guid-4','guid-11','{}','{}','{}','guid-12',1700000000.0,1700000000.0);
INSERT INTO "credential_bindings" VALUES('b','guid-13','guid-20','{}','{}','{}','guid-21',1700000000.0,1700000000.0);
CREATE TABLE destinations (
	route_guid VARCHAR NOT NULL, 
	app_guid VARCHAR NOT NULL, 
	process_type VARCHAR NOT NULL, 
	port INTEGER NOT NULL, 
	protocol VARCHAR NOT NULL, 
	weight INTEGER, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	FOREIGN KEY(route_guid) REFERENCES routes (guid) ON DELETE CASCADE, 
	FOREIGN KEY(app_guid) REFERENCES apps (guid) ON DELETE CASCADE
);
INSERT INTO "destinations" VALUES('guid-9','guid-4','web',8080,'http1',NULL,'guid-10',1700000000.0,1700000000.0);
INSERT INTO "destinations" VALUES('guid-18','guid-13','web',8080,'http1',NULL,'guid-19',1700000000.0,1700000000.0);
CREATE TABLE domain_shares (
	domain_guid VARCHAR NOT NULL, 
	organization_guid VARCHAR NOT NULL, 
	PRIMARY KEY (domain_guid, organization_guid), 
	FOREIGN KEY(domain_guid) REFERENCES domains (guid) ON DELETE CASCADE, 
	FOREIGN KEY(organization_guid) REFERENCES organizations (guid) ON DELETE CASCADE
);
CREATE TABLE domains (
	name VARCHAR COLLATE "NOCASE" NOT NULL, 
	internal BOOLEAN NOT NULL, 
	router_group_guid VARCHAR, 
	organization_guid VARCHAR, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (name), 
	FOREIGN KEY(organization_guid) REFERENCES organizations (guid) ON DELETE CASCADE
);
INSERT INTO "domains" VALUES('cf.localhost',0,NULL,NULL,'{}','{}','guid-3',1700000000.0,1700000000.0);
CREATE TABLE droplets (
	app_guid VARCHAR NOT NULL, 
	package_guid VARCHAR, 
	state VARCHAR NOT NULL, 
	process_types JSON NOT NULL, 
	buildpack VARCHAR NOT NULL, 
	detected_output VARCHAR NOT NULL, 
	stack VARCHAR NOT NULL, 
	checksum VARCHAR, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	FOREIGN KEY(app_guid) REFERENCES apps (guid) ON DELETE CASCADE
);
INSERT INTO "droplets" VALUES('guid-4','guid-5','STAGED','{"web": "python app.py"}','','','cflinuxfs4',NULL,'{}','{}','guid-6',1700000000.0,1700000000.0);
INSERT INTO "droplets" VALUES('guid-13','guid-14','STAGED','{"web": "python app.py"}','','','cflinuxfs4',NULL,'{}','{}','guid-15',1700000000.0,1700000000.0);
CREATE TABLE feature_flags (
	name VARCHAR NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	error_message VARCHAR, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE jobs (
	operation VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	errors JSON NOT NULL, 
	warnings JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid)
);
CREATE TABLE managed_instances (
	instance_guid VARCHAR NOT NULL, 
	plan_guid VARCHAR NOT NULL, 
	dashboard_url VARCHAR, 
	maintenance_info JSON NOT NULL, 
	PRIMARY KEY (instance_guid), 
	FOREIGN KEY(instance_guid) REFERENCES service_instances (guid) ON DELETE CASCADE, 
	FOREIGN KEY(plan_guid) REFERENCES service_plans (guid)
);
CREATE TABLE operations (
	kind VARCHAR NOT NULL, 
	subject_guid VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	parameters JSON NOT NULL, 
	changes JSON NOT NULL, 
	broker_operation VARCHAR NOT NULL, 
	job_guid VARCHAR NOT NULL, 
	user_guid VARCHAR NOT NULL, 
	due_at DOUBLE NOT NULL, 
	deadline DOUBLE, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (subject_guid)
);
CREATE TABLE organizations (
	name VARCHAR COLLATE "NOCASE" NOT NULL, 
	suspended BOOLEAN NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (name)
);
INSERT INTO "organizations" VALUES('local',0,'{}','{}','guid-1',1700000000.0,1700000000.0);
CREATE TABLE orphans (
	url VARCHAR NOT NULL, 
	username VARCHAR NOT NULL, 
	password VARCHAR NOT NULL, 
	path VARCHAR NOT NULL, 
	user_guid VARCHAR NOT NULL, 
	attempts INTEGER NOT NULL, 
	due_at DOUBLE NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid)
);
CREATE TABLE packages (
	app_guid VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	checksum VARCHAR, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	FOREIGN KEY(app_guid) REFERENCES apps (guid) ON DELETE CASCADE
);
INSERT INTO "packages" VALUES('guid-4','bits','READY',NULL,'{}','{}','guid-5',1700000000.0,1700000000.0);
INSERT INTO "packages" VALUES('guid-13','bits','READY',NULL,'{}','{}','guid-14',1700000000.0,1700000000.0);
CREATE TABLE plan_visibilities (
	plan_guid VARCHAR NOT NULL, 
	organization_guid VARCHAR NOT NULL, 
	PRIMARY KEY (plan_guid, organization_guid), 
	FOREIGN KEY(plan_guid) REFERENCES service_plans (guid) ON DELETE CASCADE, 
	FOREIGN KEY(organization_guid) REFERENCES organizations (guid) ON DELETE CASCADE
);
CREATE TABLE processes (
	app_guid VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	command VARCHAR, 
	instances INTEGER NOT NULL, 
	memory_mb INTEGER NOT NULL, 
	disk_mb INTEGER NOT NULL, 
	log_rate_limit INTEGER NOT NULL, 
	health_check_type VARCHAR NOT NULL, 
	health_check_endpoint VARCHAR, 
	health_check_timeout INTEGER, 
	health_check_invocation_timeout INTEGER, 
	version VARCHAR NOT NULL, 
	run JSON, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (app_guid, type), 
	FOREIGN KEY(app_guid) REFERENCES apps (guid) ON DELETE CASCADE
);
INSERT INTO "processes" VALUES('guid-4','web','python app.py',3,1024,1024,-1,'port',NULL,NULL,NULL,'version-of-music','{"droplet_guid": "guid-6", "command": "python app.py"}','{}','{}','guid-7',1700000000.0,1700000000.0);
INSERT INTO "processes" VALUES('guid-4','worker',NULL,0,1024,1024,-1,'port',NULL,NULL,NULL,'',NULL,'{}','{}','guid-8',1700000000.0,1700000000.0);
INSERT INTO "processes" VALUES('guid-13','web','python app.py',3,1024,1024,-1,'port',NULL,NULL,NULL,'version-of-video','{"droplet_guid": "guid-15", "command": "python app.py"}','{}','{}','guid-16',1700000000.0,1700000000.0);
INSERT INTO "processes" VALUES('guid-13','worker',NULL,0,1024,1024,-1,'port',NULL,NULL,NULL,'',NULL,'{}','{}','guid-17',1700000000.0,1700000000.0);
CREATE TABLE roles (
	type VARCHAR NOT NULL, 
	user_guid VARCHAR NOT NULL, 
	organization_guid VARCHAR, 
	space_guid VARCHAR, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	FOREIGN KEY(user_guid) REFERENCES users (guid) ON DELETE CASCADE, 
	FOREIGN KEY(organization_guid) REFERENCES organizations (guid) ON DELETE CASCADE, 
	FOREIGN KEY(space_guid) REFERENCES spaces (guid) ON DELETE CASCADE
);
CREATE TABLE route_bindings (
	route_guid VARCHAR NOT NULL, 
	service_instance_guid VARCHAR NOT NULL, 
	route_service_url VARCHAR NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (route_guid), 
	FOREIGN KEY(route_guid) REFERENCES routes (guid) ON DELETE CASCADE, 
	FOREIGN KEY(service_instance_guid) REFERENCES service_instances (guid) ON DELETE CASCADE
);
CREATE TABLE route_shares (
	route_guid VARCHAR NOT NULL, 
	space_guid VARCHAR NOT NULL, 
	PRIMARY KEY (route_guid, space_guid), 
	FOREIGN KEY(route_guid) REFERENCES routes (guid) ON DELETE CASCADE, 
	FOREIGN KEY(space_guid) REFERENCES spaces (guid) ON DELETE CASCADE
);
CREATE TABLE router_groups (
	guid VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	reservable_ports VARCHAR NOT NULL, 
	PRIMARY KEY (guid)
);
CREATE TABLE routes (
	host VARCHAR COLLATE "NOCASE" NOT NULL, 
	path VARCHAR COLLATE "NOCASE" NOT NULL, 
	port INTEGER NOT NULL, 
	options JSON NOT NULL, 
	domain_guid VARCHAR NOT NULL, 
	space_guid VARCHAR NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (domain_guid, host, path, port), 
	FOREIGN KEY(domain_guid) REFERENCES domains (guid) ON DELETE CASCADE, 
	FOREIGN KEY(space_guid) REFERENCES spaces (guid) ON DELETE CASCADE
);
INSERT INTO "routes" VALUES('music','',0,'{}','guid-3','guid-2','{}','{}','guid-9',1700000000.0,1700000000.0);
INSERT INTO "routes" VALUES('video','',0,'{}','guid-3','guid-2','{}','{}','guid-18',1700000000.0,1700000000.0);
CREATE TABLE service_brokers (
	name VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	username VARCHAR NOT NULL, 
	password VARCHAR NOT NULL, 
	space_guid VARCHAR, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (name), 
	FOREIGN KEY(space_guid) REFERENCES spaces (guid) ON DELETE CASCADE
);
CREATE TABLE service_instances (
	name VARCHAR COLLATE "NOCASE" NOT NULL, 
	space_guid VARCHAR NOT NULL, 
	type VARCHAR NOT NULL, 
	credentials JSON NOT NULL, 
	tags JSON NOT NULL, 
	syslog_drain_url VARCHAR, 
	route_service_url VARCHAR, 
	last_operation VARCHAR NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (space_guid, name), 
	FOREIGN KEY(space_guid) REFERENCES spaces (guid) ON DELETE CASCADE
);
INSERT INTO "service_instances" VALUES('logger-of-music','guid-2','user-provided','{}','[]',NULL,NULL,'create','{}','{}','guid-11',1700000000.0,1700000000.0);
INSERT INTO "service_instances" VALUES('logger-of-video','guid-2','user-provided','{}','[]',NULL,NULL,'create','{}','{}','guid-20',1700000000.0,1700000000.0);
CREATE TABLE service_offerings (
	broker_guid VARCHAR NOT NULL, 
	catalog_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	bindable BOOLEAN NOT NULL, 
	requires JSON NOT NULL, 
	tags JSON NOT NULL, 
	extra JSON NOT NULL, 
	plan_updateable BOOLEAN NOT NULL, 
	instances_retrievable BOOLEAN NOT NULL, 
	bindings_retrievable BOOLEAN NOT NULL, 
	allow_context_updates BOOLEAN NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (broker_guid, catalog_id), 
	FOREIGN KEY(broker_guid) REFERENCES service_brokers (guid) ON DELETE CASCADE
);
CREATE TABLE service_plans (
	offering_guid VARCHAR NOT NULL, 
	catalog_id VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	description VARCHAR NOT NULL, 
	active BOOLEAN NOT NULL, 
	public BOOLEAN NOT NULL, 
	free BOOLEAN NOT NULL, 
	bindable BOOLEAN, 
	plan_updateable BOOLEAN, 
	extra JSON NOT NULL, 
	schemas JSON NOT NULL, 
	maintenance_info JSON NOT NULL, 
	maximum_polling_duration INTEGER, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (offering_guid, catalog_id), 
	FOREIGN KEY(offering_guid) REFERENCES service_offerings (guid) ON DELETE CASCADE
);
CREATE TABLE spaces (
	name VARCHAR COLLATE "NOCASE" NOT NULL, 
	organization_guid VARCHAR NOT NULL, 
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid), 
	UNIQUE (organization_guid, name), 
	FOREIGN KEY(organization_guid) REFERENCES organizations (guid) ON DELETE CASCADE
);
INSERT INTO "spaces" VALUES('dev','guid-1','{}','{}','guid-2',1700000000.0,1700000000.0);
CREATE TABLE users (
	labels JSON NOT NULL, 
	annotations JSON NOT NULL, 
	guid VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	updated_at DOUBLE NOT NULL, 
	PRIMARY KEY (guid)
);
CREATE INDEX ix_organizations_created_at ON organizations (created_at);
CREATE INDEX ix_operations_created_at ON operations (created_at);
CREATE INDEX ix_operations_state ON operations (state);
CREATE INDEX ix_orphans_due_at ON orphans (due_at);
CREATE INDEX ix_orphans_created_at ON orphans (created_at);
CREATE INDEX ix_users_created_at ON users (created_at);
CREATE INDEX ix_jobs_created_at ON jobs (created_at);
CREATE INDEX ix_audit_events_target_guid ON audit_events (target_guid);
CREATE INDEX ix_audit_events_type ON audit_events (type);
CREATE INDEX ix_audit_events_created_at ON audit_events (created_at);
CREATE INDEX ix_spaces_created_at ON spaces (created_at);
CREATE INDEX ix_domains_created_at ON domains (created_at);
CREATE INDEX ix_apps_created_at ON apps (created_at);
CREATE INDEX ix_service_brokers_space_guid ON service_brokers (space_guid);
CREATE INDEX ix_service_brokers_created_at ON service_brokers (created_at);
CREATE INDEX ix_roles_created_at ON roles (created_at);
CREATE INDEX ix_roles_user_guid ON roles (user_guid);
CREATE INDEX ix_roles_organization_guid ON roles (organization_guid);
CREATE INDEX ix_roles_space_guid ON roles (space_guid);
CREATE INDEX ix_service_instances_created_at ON service_instances (created_at);
CREATE INDEX ix_routes_space_guid ON routes (space_guid);
CREATE INDEX ix_routes_created_at ON routes (created_at);
CREATE INDEX ix_processes_created_at ON processes (created_at);
CREATE INDEX ix_packages_app_guid ON packages (app_guid);
CREATE INDEX ix_packages_created_at ON packages (created_at);
CREATE INDEX ix_droplets_app_guid ON droplets (app_guid);
CREATE INDEX ix_droplets_created_at ON droplets (created_at);
CREATE INDEX ix_service_offerings_created_at ON service_offerings (created_at);
CREATE INDEX ix_credential_bindings_created_at ON credential_bindings (created_at);
CREATE INDEX ix_credential_bindings_service_instance_guid ON credential_bindings (service_instance_guid);
CREATE INDEX ix_route_shares_space_guid ON route_shares (space_guid);
CREATE INDEX ix_destinations_app_guid ON destinations (app_guid);
CREATE INDEX ix_destinations_route_guid ON destinations (route_guid);
CREATE INDEX ix_destinations_created_at ON destinations (created_at);
CREATE INDEX ix_route_bindings_created_at ON route_bindings (created_at);
CREATE INDEX ix_route_bindings_service_instance_guid ON route_bindings (service_instance_guid);
CREATE INDEX ix_builds_created_at ON builds (created_at);
CREATE INDEX ix_builds_app_guid ON builds (app_guid);
CREATE INDEX ix_builds_state ON builds (state);
CREATE INDEX ix_service_plans_created_at ON service_plans (created_at);
CREATE INDEX ix_managed_instances_plan_guid ON managed_instances (plan_guid);
COMMIT;
PRAGMA user_version = 4;

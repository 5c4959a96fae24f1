# Starts a small directory for examples/ldap.ts: . examples/slapd.sh
# It needs slapd (apt-get install slapd), and ends with: kill $SLAPD

export LDAP_URL=ldap://127.0.0.1:3389 LDAP_PASSWORD=$(openssl rand -hex 12)
folder=$(mktemp -d)

cat > "$folder/slapd.conf" <<END
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix dc=example,dc=org
directory $folder
access to attrs=userPassword by anonymous auth
access to * by dn.exact=cn=service,dc=example,dc=org read
END

slapadd -f "$folder/slapd.conf" <<END
dn: dc=example,dc=org
objectClass: dcObject
objectClass: organization
o: Example

dn: cn=service,dc=example,dc=org
objectClass: organizationalRole
objectClass: simpleSecurityObject
userPassword: $LDAP_PASSWORD

dn: ou=Users,dc=example,dc=org
objectClass: organizationalUnit

dn: uid=admin,ou=Users,dc=example,dc=org
objectClass: inetOrgPerson
cn: Admin
sn: Admin
userPassword: $LDAP_PASSWORD

dn: ou=Groups,dc=example,dc=org
objectClass: organizationalUnit

dn: cn=admin,ou=Groups,dc=example,dc=org
objectClass: groupOfNames
member: uid=admin,ou=Users,dc=example,dc=org
END

slapd -d 0 -f "$folder/slapd.conf" -h $LDAP_URL &
SLAPD=$!

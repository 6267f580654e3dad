#ifndef TESTS_TESTING_TEST_CERTIFICATE_H_
#define TESTS_TESTING_TEST_CERTIFICATE_H_

// What a throwaway server shows to clients that want TLS: signed by itself,
// valid for a hundred years, and worth nothing.

namespace walferry {

constexpr char kTestCertificate[] = R"pem(-----BEGIN CERTIFICATE-----
MIIBiDCCAS2gAwIBAgIUTF8kXcgdJAl3hguZh4hAjUX+jyYwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNd2FsZmVycnkgdGVzdDAgFw0yNjExMjEyMjA5MDRaGA8yMTI2
MTAyODIyMDkwNFowGDEWMBQGA1UEAwwNd2FsZmVycnkgdGVzdDBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABP7PtGapo5D5djJ8y5cfBcrJL/8N5VSdFqcGLIHnO2BB
sbpOduWcOc08a35mFHKt3jOuuFqhFybbWXHvZrVmrJSjUzBRMB0GA1UdDgQWBBR+
wSsJK1x2uR09D7lQwTu0KbO0lTAfBgNVHSMEGDAWgBR+wSsJK1x2uR09D7lQwTu0
KbO0lTAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDxWdyw1Gm6
Kgr8stqGIUgTm57/OcHQZy5qYA4EtBge9gIhAMU6FZn6J1AhYXKVwwn7qrsqzi7f
UQq9tsiQctXPk0Vb
-----END CERTIFICATE-----
)pem";

constexpr char kTestPrivateKey[] = R"pem(-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgBMUDorL1CPhtwegB
5Vf3hdxNxefL62TBT3ovCkMvlqihRANCAAT+z7RmqaOQ+XYyfMuXHwXKyS//DeVU
nRanBiyB5ztgQbG6TnblnDnNPGt+ZhRyrd4zrrhaoRcm21lx72a1ZqyU
-----END PRIVATE KEY-----
)pem";

}  // namespace walferry

#endif  // TESTS_TESTING_TEST_CERTIFICATE_H_

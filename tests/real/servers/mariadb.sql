CREATE USER shop@'%';
GRANT ALL ON *.* TO shop@'%';

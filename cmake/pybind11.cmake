# Finds pybind11, from a copy kept in the build tree where it came as a Python package.
#
# pip builds in an environment that it deletes afterwards. An editable install goes on building in the same tree, so
# nothing there may point into that environment: the headers are copied, and for an editable install CMake and the build
# tool must be ones that stay.
execute_process(
  COMMAND "${Python_EXECUTABLE}" -m pybind11 --cmakedir
  OUTPUT_VARIABLE pybind11_package OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
set(pybind11_copy "${CMAKE_BINARY_DIR}/pybind11")
if(pybind11_package)
  cmake_path(SET pybind11_package NORMALIZE "${pybind11_package}/../../..")
  file(COPY "${pybind11_package}/include" "${pybind11_package}/share" DESTINATION "${pybind11_copy}")
endif()
find_package(pybind11 3.0 CONFIG QUIET PATHS "${pybind11_copy}" NO_DEFAULT_PATH)
if(NOT pybind11_FOUND)
  find_package(pybind11 3.0 CONFIG REQUIRED)
endif()

if(SKBUILD_STATE STREQUAL "editable")
  foreach(tool IN ITEMS "${CMAKE_COMMAND}" "${CMAKE_MAKE_PROGRAM}")
    if(tool MATCHES "/pip-build-env-")
      message(FATAL_ERROR
        "An editable install rebuilds whenever it is imported, so CMake and Ninja must outlive the installation, "
        "but ${tool} belongs to pip's temporary build environment.\n"
        "Either install them for the system (apt-get install cmake ninja-build), then again: pip install -e .\n"
        "Or build with those of your environment: pip install cmake ninja pybind11 scikit-build-core, then "
        "pip install --no-build-isolation -e .")
    endif()
  endforeach()
endif()
